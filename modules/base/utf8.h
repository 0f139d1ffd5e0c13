/* utf8.h - is it UTF-8, and where does it stop being so (Unicode 15, table
 * 3-7: no overlong forms, no surrogates, nothing above U+10FFFF).
 *
 * Process:  pure functions, any thread.
 */
#ifndef OPEN_BASE_UTF8_H
#define OPEN_BASE_UTF8_H

#include <stddef.h>
#include <stdint.h>

/* Length of the longest prefix that is valid UTF-8; len if all of it is. NUL
 * is a character like any other. */
size_t utf8_valid(const char *s, size_t len);

/* Bytes of the character at s (1..4), 0 if it is not valid. len > 0. */
size_t utf8_width(const char *s, size_t len);

/* The character at s, which must be valid, and its bytes. */
uint32_t utf8_decode(const char *s, size_t *width);

/* Writes c (not a surrogate, at most U+10FFFF) to out; its bytes (1..4). */
size_t utf8_encode(uint32_t c, char out[4]);

/* Ends the text at the last whole character within len bytes; s has room for
 * len bytes and a NUL. */
void utf8_cut(char *s, size_t len);

#endif
