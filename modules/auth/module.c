/* module.c - people and what gives them access: the routes stand in the files
 * that answer them.
 */
