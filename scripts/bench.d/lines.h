/* lines - the FIFOs in which services say that they are there: a line with their pid each.
 *
 * Whoever reads them first finds the lines of services that have been there for longer; whoever has
 * read them puts the last one back (line_restore), for the next. Services are numbered from 1.
 * Threads: any, one for a FIFO. Ownership: the descriptor belongs to whoever opened it. */
#pragma once

#include <sys/types.h>

/* FOLDER/NUMBER.fifo, which is made when it isn't there; it never ends while it is open. */
int line_open(const char *folder, int number);
/* Waits for a line, two minutes at most; returns the pid in it. */
pid_t line_read(int fd);
void line_restore(int fd, pid_t pid);
