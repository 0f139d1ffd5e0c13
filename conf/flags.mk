# flags.mk - compiler flags, by flavor: release, dev (debuggable), asan (address and
# undefined-behaviour sanitizers); cov and fuzz are used by the commands of that name.

CC := gcc
WARNINGS := -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wwrite-strings -Wswitch-enum -Werror
CPPFLAGS := -D_GNU_SOURCE -Imodules -I$(B)/gen $(shell pkg-config --cflags yajl yaml-0.1 openssl lua5.4 libpq libcurl 2>/dev/null)
CFLAGS := -std=gnu11 -pthread -fPIC -g $(WARNINGS)
CXXFLAGS := -std=c++17 -pthread -fPIC -g -O2 -Wall -Wextra
LDFLAGS := -pthread
LIBS_OPEN := -lyajl -lyaml -lssl -lcrypto -llua5.4 -lcurl -lpq -lm
LIBS_TOOLS := $(LIBS_OPEN)

ifeq ($(FLAVOR),release)
CFLAGS += -O2 -fno-plt -fstack-protector-strong -D_FORTIFY_SOURCE=2
LDFLAGS += -Wl,-z,relro,-z,now
else ifeq ($(FLAVOR),dev)
CFLAGS += -Og
else ifeq ($(FLAVOR),cov)
CFLAGS += -O1 --coverage
LDFLAGS += --coverage
else ifeq ($(FLAVOR),fuzz)
CC := clang
CFLAGS := $(filter-out -Werror,$(CFLAGS)) -O1 -w -fno-omit-frame-pointer -fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-recover=undefined
LDFLAGS += -fsanitize=fuzzer,address,undefined
else ifeq ($(FLAVOR),asan)
CFLAGS += -O1 -fno-omit-frame-pointer -fsanitize=address,undefined -fno-sanitize-recover=undefined
LDFLAGS += -fsanitize=address,undefined
else
$(error FLAVOR is release, dev or asan, not '$(FLAVOR)')
endif

# Folders whose arithmetic must convert explicitly; reloadable modules export only handlers and hooks.
FLAGS_base := -Wconversion
FLAGS_dag := -Wconversion
FLAGS_exec := -Wconversion
FLAGS_web := -isystem /usr/include/kore
FLAGS_catalog := -fvisibility=hidden
FLAGS_executions := -fvisibility=hidden
FLAGS_auth := -fvisibility=hidden
FLAGS_graphql := -fvisibility=hidden
