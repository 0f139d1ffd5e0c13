/* actor.c - the text of open.actor.
 */
#include "web/actor.h"

#include <stdio.h>

const char *
actor_text(const struct actor *actor, const char *address, char out[ACTOR_TEXT])
{
	char organization[UUID_TEXT], user[UUID_TEXT], token[UUID_TEXT];

	if (actor == NULL) {
		snprintf(out, ACTOR_TEXT, "    %.63s", address);
		return out;
	}
	uuid_format(&actor->organization, organization);
	uuid_format(&actor->user, user);
	uuid_format(&actor->token, token);
	snprintf(out, ACTOR_TEXT, "%s %s %s %s %.63s", organization, user,
	    actor->admin ? "admin" : "user", token, address);
	return out;
}

const char *
actor_organization_text(const struct uuid *organization, char out[ACTOR_TEXT])
{
	uuid_format(organization, out);
	return out;
}
