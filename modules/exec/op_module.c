/* op_module.c - loads modules of ops and checks that they are sound. */
#include "exec/op_module.h"

#include <dlfcn.h>
#include <string.h>

#include "exec/ops/ops.h"

#define PATH_BYTES 4096

static bool
is_name(const char *s)
{
	size_t len = s == NULL ? 0 : strlen(s);

	return len > 0 && len <= 64 && s[0] >= 'a' && s[0] <= 'z' &&
	       strspn(s, "abcdefghijklmnopqrstuvwxyz0123456789_-") == len;
}

/* What is wrong with its functions, or NULL. */
static const char *
kind_fault(const struct op *op)
{
	switch (op->kind) {
	case OP_NOOP:
		return NULL;
	case OP_TIMER:
		return op->delay == NULL ? "has no delay()" : NULL;
	case OP_COMPUTE:
	case OP_INLINE:
		return op->compute == NULL ? "has no compute()" : NULL;
	case OP_COMMAND:
		return "is a command; only the built-in op starts commands";
	case OP_IO:
		return op->io == NULL ? "has no driver" : NULL;
	}
	return "is of an unknown kind";
}

static int
op_add(const char *file, const struct op *op, struct err *e)
{
	const char *fault;

	if (!is_name(op->schema.name) || op->schema.description == NULL) {
		err_set(e, "op_module",
		    "%s: an op needs a name of a-z, 0-9, _ and -, and a "
		    "description.",
		    file);
		return -1;
	}
	if ((fault = kind_fault(op)) != NULL) {
		err_set(e, "op_module", "%s: the op \"%s\" %s.", file,
		    op->schema.name, fault);
		return -1;
	}
	return op_register(op, e);
}

static int
module_add(const char *file, const struct op_module *m, struct err *e)
{
	static const uint32_t sizes[] = {(uint32_t)sizeof(struct op),
	    (uint32_t)sizeof(struct op_call),
	    (uint32_t)sizeof(struct io_class)};

	if (m->abi != OP_MODULE_ABI ||
	    memcmp(m->sizes, sizes, sizeof(sizes)) != 0 || m->ops == NULL) {
		err_set(e, "op_module",
		    "%s was compiled for another version of this server; "
		    "compile it anew.",
		    file);
		return -1;
	}
	for (const struct op *const *op = m->ops; *op != NULL; op++)
		if (op_add(file, *op, e) != 0)
			return -1;
	return 0;
}

static int
file_load(const char *file, struct err *e)
{
	void *handle = dlopen(file, RTLD_NOW | RTLD_LOCAL);
	const struct op_module *m;

	if (handle == NULL) {
		err_set(e, "op_module", "%s", dlerror());
		return -1;
	}
	m = dlsym(handle, OP_MODULE_SYMBOL);
	if (m == NULL) {
		err_set(e, "op_module", "%s exports no %s.", file,
		    OP_MODULE_SYMBOL);
		dlclose(handle);
		return -1;
	}
	return module_add(file, m, e);
}

int
op_modules_load(const char *files, struct err *e)
{
	char path[PATH_BYTES];

	while (*files != '\0') {
		size_t len = strcspn(files, ":");

		if (len >= sizeof(path)) {
			err_set(e, "op_module", "A path is too long.");
			return -1;
		}
		memcpy(path, files, len);
		path[len] = '\0';
		if (len > 0 && file_load(path, e) != 0)
			return -1;
		files += len + (files[len] == ':');
	}
	return 0;
}
