/* What plain C reaches on the same PVM: the references of the benchmarks.
 *
 *   reference roundtrip BYTES COUNT FRAGSIZE   a message of BYTES there and back, packed raw
 *   reference array     BYTES COUNT FRAGSIZE   the same, packed in place, unpacked into a user's array
 *   reference farm      SLAVES JOBS BYTES ROUTE   one job outstanding per slave; ROUTE direct|daemon
 *
 * Each prints one JSON object with the seconds that COUNT round trips, or JOBS jobs, took. The program
 * spawns itself as its own slaves; warm-up rounds are not counted.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <pvm3.h>

enum { TAG_JOB = 1, TAG_RESULT = 2, TAG_READY = 3, TAG_EXIT = 4 };
enum { MAX_SLAVES = 64 };

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec + 1e-9 * t.tv_nsec;
}

static int check(const char *what, int code)
{
    if (code < 0) {
        pvm_perror((char *)what);
        pvm_exit();
        exit(1);
    }
    return code;
}

static char *room(int bytes)
{
    char *data = malloc(bytes ? bytes : 1);
    if (!data)
        exit(2);
    memset(data, 'x', bytes);      /* touch the pages now, not while the clock runs */
    return data;
}

static void send_bytes(int tid, int tag, int encoding, char *data, int bytes)
{
    check("pvm_initsend", pvm_initsend(encoding));
    check("pvm_pkbyte", pvm_pkbyte(data, bytes, 1));
    check("pvm_send", pvm_send(tid, tag));
}

/* Send back whatever comes, until told to leave. */
static void slave(int bytes, int encoding)
{
    int parent = pvm_parent(), bufid, length, tag, from;
    char *data = room(bytes);

    check("pvm_initsend", pvm_initsend(PvmDataRaw));
    check("pvm_send", pvm_send(parent, TAG_READY));
    for (;;) {
        bufid = check("pvm_recv", pvm_recv(-1, -1));
        check("pvm_bufinfo", pvm_bufinfo(bufid, &length, &tag, &from));
        if (tag == TAG_EXIT)
            break;
        check("pvm_upkbyte", pvm_upkbyte(data, bytes, 1));
        send_bytes(parent, TAG_RESULT, encoding, data, bytes);
    }
    pvm_exit();
    exit(0);
}

static void spawn_slaves(char *program, int count, int *tids, char **argv)
{
    int i;
    if (pvm_spawn(program, argv, PvmTaskDefault, "", count, tids) != count) {
        fprintf(stderr, "reference: could not spawn %d slaves of %s: code %d\n", count, program, tids[count - 1]);
        pvm_exit();
        exit(1);
    }
    for (i = 0; i < count; i++)
        check("pvm_recv", pvm_recv(tids[i], TAG_READY));
}

static void release(int *tids, int count)
{
    check("pvm_initsend", pvm_initsend(PvmDataRaw));
    check("pvm_mcast", pvm_mcast(tids, count, TAG_EXIT));
    pvm_exit();
}

static double echo(int tid, int encoding, char *data, int bytes, int rounds)
{
    double start = now();
    while (rounds--) {
        send_bytes(tid, TAG_JOB, encoding, data, bytes);
        check("pvm_recv", pvm_recv(tid, TAG_RESULT));
        check("pvm_upkbyte", pvm_upkbyte(data, bytes, 1));
    }
    return now() - start;
}

static double farm(int *tids, int slaves, char *data, int bytes, int jobs)
{
    double start = now();
    int given = 0, done = 0, bufid, length, tag, from;

    while (given < slaves && given < jobs)
        send_bytes(tids[given++], TAG_JOB, PvmDataRaw, data, bytes);
    while (done < jobs) {
        bufid = check("pvm_recv", pvm_recv(-1, TAG_RESULT));
        check("pvm_bufinfo", pvm_bufinfo(bufid, &length, &tag, &from));
        check("pvm_upkbyte", pvm_upkbyte(data, bytes, 1));
        done++;
        if (given < jobs) {
            send_bytes(from, TAG_JOB, PvmDataRaw, data, bytes);
            given++;
        }
    }
    return now() - start;
}

int main(int argc, char **argv)
{
    int tids[MAX_SLAVES], bytes, count, slaves = 1, encoding = PvmDataRaw;
    int is_farm, is_array, direct = 1, fragment = 0;
    char bytes_text[16], encoding_text[16], fragment_text[16], route_text[16];
    char *slave_argv[6], *data;
    double seconds;

    if (argc == 6 && strcmp(argv[1], "slave") == 0) {
        check("pvm_mytid", pvm_mytid());
        pvm_setopt(PvmRoute, atoi(argv[5]) ? PvmRouteDirect : PvmDontRoute);
        if (atoi(argv[4]))
            check("pvm_setopt", pvm_setopt(PvmFragSize, atoi(argv[4])));
        slave(atoi(argv[2]), atoi(argv[3]));
    }
    is_farm = argc == 6 && strcmp(argv[1], "farm") == 0;
    is_array = argc == 5 && strcmp(argv[1], "array") == 0;
    if (!is_farm && !is_array && !(argc == 5 && strcmp(argv[1], "roundtrip") == 0)) {
        fprintf(stderr, "usage: reference roundtrip|array BYTES COUNT FRAGSIZE\n"
                        "       reference farm SLAVES JOBS BYTES direct|daemon\n");
        return 2;
    }
    if (is_farm) {
        slaves = atoi(argv[2]);
        count = atoi(argv[3]);
        bytes = atoi(argv[4]);
        direct = strcmp(argv[5], "direct") == 0;
        if (slaves < 1 || slaves > MAX_SLAVES)
            return 2;
    } else {
        bytes = atoi(argv[2]);
        count = atoi(argv[3]);
        fragment = atoi(argv[4]);
        if (is_array)
            encoding = PvmDataInPlace;
    }

    check("pvm_mytid", pvm_mytid());
    pvm_setopt(PvmRoute, direct ? PvmRouteDirect : PvmDontRoute);
    if (fragment)
        check("pvm_setopt", pvm_setopt(PvmFragSize, fragment));
    snprintf(bytes_text, sizeof bytes_text, "%d", bytes);
    snprintf(encoding_text, sizeof encoding_text, "%d", encoding);
    snprintf(fragment_text, sizeof fragment_text, "%d", fragment);
    snprintf(route_text, sizeof route_text, "%d", direct);
    slave_argv[0] = "slave";
    slave_argv[1] = bytes_text;
    slave_argv[2] = encoding_text;
    slave_argv[3] = fragment_text;
    slave_argv[4] = route_text;
    slave_argv[5] = NULL;
    spawn_slaves(argv[0], slaves, tids, slave_argv);

    data = room(bytes);
    if (is_farm) {
        farm(tids, slaves, data, bytes, count / 10 + 1);
        seconds = farm(tids, slaves, data, bytes, count);
    } else {
        echo(tids[0], encoding, data, bytes, count / 10 + 1);
        seconds = echo(tids[0], encoding, data, bytes, count);
    }
    printf("{\"seconds\": %.9f, \"count\": %d}\n", seconds, count);
    release(tids, slaves);
    return 0;
}
