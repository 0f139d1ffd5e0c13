/* http_address.c - ranges of IANA's special-purpose registries (RFC 6890 and
 * its updates). IPv4 lists what is refused; of IPv6 only global unicast is
 * let through, less what in it is special. */
#include "exec/http_address.h"

#include <netinet/in.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct range4 {
	uint32_t base;
	unsigned bits;
};

#define IP(a, b, c, d)                                                         \
	((uint32_t)(a) << 24 | (uint32_t)(b) << 16 | (uint32_t)(c) << 8 |      \
	    (uint32_t)(d))

static const struct range4 refused4[] = {
    {IP(0, 0, 0, 0), 8},       /* this network */
    {IP(10, 0, 0, 0), 8},      /* private */
    {IP(100, 64, 0, 0), 10},   /* shared by carriers */
    {IP(127, 0, 0, 0), 8},     /* loopback */
    {IP(169, 254, 0, 0), 16},  /* link-local */
    {IP(172, 16, 0, 0), 12},   /* private */
    {IP(192, 0, 0, 0), 24},    /* protocol assignments */
    {IP(192, 0, 2, 0), 24},    /* documentation */
    {IP(192, 88, 99, 0), 24},  /* relays of 6to4 */
    {IP(192, 168, 0, 0), 16},  /* private */
    {IP(198, 18, 0, 0), 15},   /* benchmarks */
    {IP(198, 51, 100, 0), 24}, /* documentation */
    {IP(203, 0, 113, 0), 24},  /* documentation */
    {IP(224, 0, 0, 0), 4},     /* multicast */
    {IP(240, 0, 0, 0), 4},     /* reserved, broadcast */
};

struct range6 {
	uint8_t base[6];
	unsigned bits;
};

static const struct range6 refused6[] = {
    {{0x20, 0x01, 0x00, 0x00}, 23}, /* protocol assignments, Teredo */
    {{0x20, 0x01, 0x0d, 0xb8}, 32}, /* documentation */
    {{0x20, 0x02}, 16},		    /* 6to4: any IPv4 address */
    {{0x3f, 0xff, 0x00}, 20},	    /* documentation */
};

static bool
public4(uint32_t a)
{
	for (size_t i = 0; i < sizeof(refused4) / sizeof(refused4[0]); i++)
		if ((a ^ refused4[i].base) >> (32 - refused4[i].bits) == 0)
			return false;
	return true;
}

static bool
within(const uint8_t *a, const struct range6 *r)
{
	unsigned whole = r->bits / 8, rest = r->bits % 8;

	if (memcmp(a, r->base, whole) != 0)
		return false;
	return rest == 0 || (a[whole] ^ r->base[whole]) >> (8 - rest) == 0;
}

static bool
public6(const uint8_t a[16])
{
	static const uint8_t nat64[12] = {0x00, 0x64, 0xff, 0x9b};

	if (memcmp(a, nat64, sizeof(nat64)) == 0)
		return public4(IP(a[12], a[13], a[14], a[15]));
	if ((a[0] & 0xe0) != 0x20) /* 2000::/3 is global unicast */
		return false;
	for (size_t i = 0; i < sizeof(refused6) / sizeof(refused6[0]); i++)
		if (within(a, &refused6[i]))
			return false;
	return true;
}

bool
http_address_public(const struct sockaddr *address, socklen_t len)
{
	struct sockaddr_in in4;
	struct sockaddr_in6 in6;

	if (address->sa_family == AF_INET && len >= sizeof(in4)) {
		memcpy(&in4, address, sizeof(in4));
		return public4(ntohl(in4.sin_addr.s_addr));
	}
	if (address->sa_family == AF_INET6 && len >= sizeof(in6)) {
		memcpy(&in6, address, sizeof(in6));
		return public6(in6.sin6_addr.s6_addr);
	}
	return false;
}
