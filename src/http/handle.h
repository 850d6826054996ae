/* handle - the way of a request: its head is checked, its body taken, who asks and for what is
 * found out, the route is called, the answer is queued.
 * Threads: libmicrohttpd's; they are its callbacks. */
#pragma once

#include <microhttpd.h>

enum MHD_Result handle_request(void *listener, struct MHD_Connection *connection, const char *url,
                               const char *method, const char *version, const char *upload,
                               size_t *upload_size, void **request);
void handle_completed(void *listener, struct MHD_Connection *connection, void **request,
                      enum MHD_RequestTerminationCode why);
/* Leaves %xx as it is: paths and queries are decoded strictly, and part by part. */
size_t handle_unescape(void *context, struct MHD_Connection *connection, char *text);
