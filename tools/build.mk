# build.mk - how everything is compiled. Called by build.sh: make -f tools/build.mk FLAVOR=release all
#
# Libraries in the order of their dependencies: base, dag, exec, graphql (static, for tests, benchmarks and openctl) and
# libopen.so (all of them and web; resident in the server). Reloadable modules link libopen.so.

FLAVOR ?= release
B := build/$(FLAVOR)

include conf/flags.mk

BASE := $(wildcard modules/base/*.c)
DAG  := $(wildcard modules/dag/*.c)
EXEC := $(wildcard modules/exec/*.c modules/exec/ops/*.c)
WEB  := $(wildcard modules/web/*.c)
GRAPHQL := $(wildcard modules/graphql/*.c)
MODULES := $(patsubst modules/%/,%,$(filter-out modules/base/ modules/dag/ modules/exec/ modules/web/, \
	$(dir $(wildcard modules/*/module.c))))

LIBS_PURE := $(B)/libgraphql.a $(B)/libexec.a $(B)/libdag.a $(B)/libbase.a

obj = $(patsubst %.cpp,$(B)/obj/%.cpp.o,$(patsubst %.c,$(B)/obj/%.o,$(1)))

UNIT  := $(patsubst tests/unit/%.c,$(B)/tests/%,$(wildcard tests/unit/test_*.c))
OP_MODULES := $(patsubst tests/op_module/%.c,$(B)/tests/op_module/%.so,$(wildcard tests/op_module/*.c))
CHECKERS := $(B)/checkers/gql_check
BENCH := $(patsubst tests/bench/%.c,$(B)/bench/%,$(wildcard tests/bench/bench_*.c))
FUZZ  := $(patsubst tests/fuzz/%.c,$(B)/fuzzers/%,$(wildcard tests/fuzz/fuzz_*.c))

.PHONY: all libs units benches fuzzers modules tools op_modules checkers
all: libs modules tools
libs: $(B)/libbase.a $(B)/libdag.a $(B)/libexec.a $(B)/libgraphql.a
units: $(UNIT) $(OP_MODULES)
benches: $(BENCH)
fuzzers: $(FUZZ)
modules: $(B)/libopen.so $(MODULES:%=$(B)/modules/%.so)
tools: $(B)/openctl
op_modules: $(OP_MODULES)
checkers: $(CHECKERS)

$(B)/obj/%.o: %.c conf/flags.mk
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS) $(CFLAGS) $(FLAGS_$(word 2,$(subst /, ,$*))) -MMD -MP -c -o $@ $<
	@printf '{"directory":"%s","file":"%s","output":"%s","command":"%s"},\n' "$(CURDIR)" $< $@ \
		"$(CC) $(CPPFLAGS) $(CFLAGS) $(FLAGS_$(word 2,$(subst /, ,$*))) -c $<" > $@.json

$(B)/libbase.a: $(call obj,$(BASE))
$(B)/libdag.a: $(call obj,$(DAG))
$(B)/libexec.a: $(call obj,$(EXEC))
# For tests of its pure part (the language, types, validation): what needs a server is not pulled from the archive.
$(B)/libgraphql.a: $(call obj,$(GRAPHQL))
$(B)/lib%.a:
	@rm -f $@
	$(AR) rcs $@ $^

# Statements: modules/NAME/sql/*.sql become build/FLAVOR/gen/NAME_sql.h.
SQL_OWNERS := $(patsubst modules/%/sql,%,$(wildcard modules/*/sql))
define sql_rule
$(B)/gen/$(1)_sql.h: $(wildcard modules/$(1)/sql/*.sql) tools/sqlgen
	@mkdir -p $$(@D)
	tools/sqlgen $(1) $(wildcard modules/$(1)/sql/*.sql) > $$@.tmp && mv $$@.tmp $$@
$(call obj,$(wildcard modules/$(1)/*.c)): | $(B)/gen/$(1)_sql.h
endef
$(foreach owner,$(SQL_OWNERS),$(eval $(call sql_rule,$(owner))))

$(B)/gen/openctl_sql.h: $(wildcard tools/openctl/sql/*.sql) tools/sqlgen
	@mkdir -p $(@D)
	tools/sqlgen openctl $(wildcard tools/openctl/sql/*.sql) > $@.tmp && mv $@.tmp $@
$(call obj,$(wildcard tools/openctl/*.c)): | $(B)/gen/openctl_sql.h

# Words that passwords must not be made of alone.
$(B)/gen/password_words.h: assets/passwords.txt
	@mkdir -p $(@D)
	{ echo '/* assets/passwords.txt */'; echo 'static const char *const password_words[] = {'; \
		sed -n '/^[^#]/s/.*/    "&",/p' $<; echo '};'; } > $@.tmp && mv $@.tmp $@
$(call obj,modules/web/password.c) $(B)/tests/test_password: | $(B)/gen/password_words.h

# The console's files are in its object.
$(call obj,modules/console/module.c): $(wildcard assets/console/*)

$(B)/libopen.so: $(call obj,$(BASE) $(DAG) $(EXEC) $(WEB))
	$(CC) $(LDFLAGS) -shared -Wl,-soname,libopen.so -Wl,-z,nodelete -o $@.tmp $^ $(LIBS_OPEN)
	mv $@.tmp $@

define module_rule
$(B)/modules/$(1).so: $(call obj,$(wildcard modules/$(1)/*.c)) $(B)/libopen.so
	@mkdir -p $$(@D)
	$(CC) $(LDFLAGS) -shared -Wl,-rpath,'$$$$ORIGIN/..' -o $$@.tmp $$(filter %.o,$$^) -L$(B) -lopen
	mv $$@.tmp $$@
endef
$(foreach module,$(MODULES),$(eval $(call module_rule,$(module))))

OPENCTL := $(wildcard tools/openctl/*.c)
$(B)/openctl: $(call obj,$(OPENCTL) $(wildcard modules/web/config*.c) modules/web/secret_box.c modules/web/credential.c modules/web/password.c \
	modules/web/graph.c $(wildcard modules/web/graph_*.c) $(wildcard modules/web/resources*.c) modules/web/policy.c \
	modules/web/address.c modules/web/org_settings.c) $(B)/libgraphql.a $(B)/libexec.a $(B)/libdag.a $(B)/libbase.a
	$(CC) $(LDFLAGS) -rdynamic -o $@.tmp $(filter %.o,$^) $(B)/libgraphql.a -Wl,--whole-archive \
		$(filter-out %/libgraphql.a,$(filter %.a,$^)) -Wl,--no-whole-archive $(LIBS_TOOLS)
	mv $@.tmp $@

# Modules of ops as strangers write them: nothing but the headers, and no library.
$(B)/tests/op_module/%.so: tests/op_module/%.c
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS) $(CFLAGS) -MMD -MP -MF $@.d $(LDFLAGS) -shared -o $@ $<

$(B)/tests/test_resource: | $(B)/gen/web_sql.h
# A unit test may include the .c it tests, to reach statics.
$(B)/tests/%: tests/unit/%.c $(LIBS_PURE)
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS) $(CFLAGS) -MMD -MP -MF $@.d $(LDFLAGS) -rdynamic -o $@ $< $(LIBS_PURE) $(LIBS_TOOLS) -lcmocka

# Programs that tests written in JavaScript talk to.
$(B)/checkers/%: tests/graphql/%.c $(LIBS_PURE)
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS) $(CFLAGS) -MMD -MP -MF $@.d $(LDFLAGS) -o $@ $< $(LIBS_PURE) $(LIBS_TOOLS)

# A benchmark NAME.c may have peers in C++ beside it: NAME_*.cpp.
define bench_rule
$(B)/bench/$(1): tests/bench/$(1).c $(call obj,$(wildcard tests/bench/$(1)_*.cpp) modules/web/binary.c \
	modules/web/credential.c modules/web/known.c modules/web/known_settings.c) $(LIBS_PURE)
	@mkdir -p $$(@D)
	$(CC) $(CPPFLAGS) $(CFLAGS) -MMD -MP -MF $$@.d $(LDFLAGS) -o $$@ $$(filter-out %.h,$$^) $(LIBS_TOOLS) \
		$(if $(wildcard tests/bench/$(1)_*.cpp),-ltbb -lstdc++)
endef
$(foreach bench,$(BENCH),$(eval $(call bench_rule,$(notdir $(bench)))))

$(B)/obj/%.cpp.o: %.cpp conf/flags.mk
	@mkdir -p $(@D)
	$(CXX) $(CPPFLAGS) $(CXXFLAGS) -MMD -MP -c -o $@ $<

# Fuzzers link the sources themselves: every object is instrumented. Called with FLAVOR=fuzz.
$(B)/fuzzers/%: tests/fuzz/%.c $(LIBS_PURE)
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS) $(CFLAGS) -MMD -MP -MF $@.d $(LDFLAGS) -o $@ $< $(LIBS_PURE) $(LIBS_TOOLS)

-include $(shell find $(B) -name '*.d' 2>/dev/null)
