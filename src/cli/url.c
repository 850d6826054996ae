#include "url.h"

#include <arpa/inet.h>
#include <curl/curl.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

/* "localhost", which curl never asks a name server for, 127.0.0.0/8 and ::1. */
static bool is_loopback(const char *host)
{
    struct in6_addr six;
    struct in_addr four;
    char bare[64];

    if (strcasecmp(host, "localhost") == 0)
        return true;
    if (inet_pton(AF_INET, host, &four) == 1)
        return ntohl(four.s_addr) >> 24 == 127;
    snprintf(bare, sizeof bare, "%.*s", (int)strcspn(host + (*host == '['), "]"),
             host + (*host == '['));
    return inet_pton(AF_INET6, bare, &six) == 1 && IN6_IS_ADDR_LOOPBACK(&six);
}

/* Paths are appended to it, and nobody logs in by it. */
int url_check(const char *url, const char *origin, bool *ret_exposed, struct error *err)
{
    CURLU *parsed = curl_url();
    char *scheme = NULL, *host = NULL, *more = NULL;
    int result = 0;

    if (!parsed || curl_url_set(parsed, CURLUPART_URL, url, CURLU_NON_SUPPORT_SCHEME) ||
        curl_url_get(parsed, CURLUPART_SCHEME, &scheme, 0) ||
        curl_url_get(parsed, CURLUPART_HOST, &host, 0))
        result = error_set(err, -EINVAL, "%s: \"%s\" is not a URL such as https://host:8700",
                           origin, url);
    else if (strcmp(scheme, "http") != 0 && strcmp(scheme, "https") != 0)
        result = error_set(err, -EINVAL, "%s: \"%s\" does not begin with http:// or https://",
                           origin, url);
    else if (curl_url_get(parsed, CURLUPART_USER, &more, 0) == CURLUE_OK ||
             curl_url_get(parsed, CURLUPART_QUERY, &more, 0) == CURLUE_OK ||
             curl_url_get(parsed, CURLUPART_FRAGMENT, &more, 0) == CURLUE_OK)
        result = error_set(err, -EINVAL, "%s: a URL such as https://host:8700 and no more", origin);
    else
        *ret_exposed = strcmp(scheme, "http") == 0 && !is_loopback(host);
    curl_free(scheme);
    curl_free(host);
    curl_free(more);
    curl_url_cleanup(parsed);
    return result;
}
