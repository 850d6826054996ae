#include "when.h"

#include "base/clock.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

int64_t when_parse(const char *utc)
{
    struct tm tm = {0};
    const char *rest = strptime(utc, "%Y-%m-%dT%H:%M:%S", &tm);
    int64_t us, scale = USEC_PER_SEC;

    if (!rest)
        return 0;
    us = (int64_t)timegm(&tm) * USEC_PER_SEC;
    if (*rest == '.')
        for (rest++; *rest >= '0' && *rest <= '9'; rest++)
            us += (*rest - '0') * (scale /= 10);
    return us;
}

void when_rough(int64_t us, char text[static WHEN_TEXT_SIZE])
{
    long long s = us > 0 ? us / USEC_PER_SEC : 0;

    if (s < 60)
        snprintf(text, WHEN_TEXT_SIZE, "%llds", s);
    else if (s < 3600)
        snprintf(text, WHEN_TEXT_SIZE, "%lldm %llds", s / 60, s % 60);
    else if (s < 86400)
        snprintf(text, WHEN_TEXT_SIZE, "%lldh %lldm", s / 3600, s % 3600 / 60);
    else
        snprintf(text, WHEN_TEXT_SIZE, "%lldd %lldh", s / 86400, s % 86400 / 3600);
}

void when_exact(int64_t us, char text[static WHEN_TEXT_SIZE])
{
    double s = us > 0 ? (double)us / USEC_PER_SEC : 0;

    snprintf(text, WHEN_TEXT_SIZE, s < 0.1 ? "%.3f s" : s < 60 ? "%.1f s" : "%.0f s", s);
}

void when_show(const char *utc, char text[static WHEN_TEXT_SIZE])
{
    if (when_parse(utc) == 0) {
        text[0] = '\0';
        return;
    }
    snprintf(text, WHEN_TEXT_SIZE, "%.10s %.8s", utc, utc + 11);
}
