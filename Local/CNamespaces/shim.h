/* glibc declares this to those alone who define _GNU_SOURCE, which Swift's view of it does not. */
extern int setns(int descriptor, int kind);

/* CLONE_NEWNET of linux/sched.h. */
static const int network_namespace = 0x40000000;
