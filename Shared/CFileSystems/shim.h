#include <sys/fsuid.h>
#include <sys/vfs.h>
