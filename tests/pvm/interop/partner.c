/*
 * The other side of the conversations in the tests: what Debian's example programs do
 * not show. The first argument says which part to play; see the functions below. Each
 * prints "ok <part>" in the end, or what went wrong, and is built on libpvm3 alone.
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <pvm3.h>

enum { REPLY = 1000, STOP = 999, RESULT = 77 };

static void check(int code, const char *call)
{
    if (code < 0) {
        printf("%s failed: %d\n", call, code);
        pvm_exit();
        exit(1);
    }
}
#define PVM(call) check(call, #call)

static void expect(int truth, const char *text)
{
    if (!truth) {
        printf("not true: %s\n", text);
        pvm_exit();
        exit(1);
    }
}
#define EXPECT(truth) expect(truth, #truth)

static const size_t sizes[] = {
    1, 1, sizeof(short), sizeof(int), sizeof(float), 2 * sizeof(float), sizeof(double),
    2 * sizeof(double), sizeof(long), sizeof(short), sizeof(int), sizeof(long)
};

static void pack(int type, void *items, int n)
{
    switch (type) {
    case PVM_STR: PVM(pvm_pkstr(items)); break;
    case PVM_BYTE: PVM(pvm_pkbyte(items, n, 1)); break;
    case PVM_SHORT: PVM(pvm_pkshort(items, n, 1)); break;
    case PVM_INT: PVM(pvm_pkint(items, n, 1)); break;
    case PVM_FLOAT: PVM(pvm_pkfloat(items, n, 1)); break;
    case PVM_CPLX: PVM(pvm_pkcplx(items, n, 1)); break;
    case PVM_DOUBLE: PVM(pvm_pkdouble(items, n, 1)); break;
    case PVM_DCPLX: PVM(pvm_pkdcplx(items, n, 1)); break;
    case PVM_LONG: PVM(pvm_pklong(items, n, 1)); break;
    case PVM_USHORT: PVM(pvm_pkushort(items, n, 1)); break;
    case PVM_UINT: PVM(pvm_pkuint(items, n, 1)); break;
    case PVM_ULONG: PVM(pvm_pkulong(items, n, 1)); break;
    }
}

static void unpack(int type, void *items, int n)
{
    switch (type) {
    case PVM_STR: PVM(pvm_upkstr(items)); break;
    case PVM_BYTE: PVM(pvm_upkbyte(items, n, 1)); break;
    case PVM_SHORT: PVM(pvm_upkshort(items, n, 1)); break;
    case PVM_INT: PVM(pvm_upkint(items, n, 1)); break;
    case PVM_FLOAT: PVM(pvm_upkfloat(items, n, 1)); break;
    case PVM_CPLX: PVM(pvm_upkcplx(items, n, 1)); break;
    case PVM_DOUBLE: PVM(pvm_upkdouble(items, n, 1)); break;
    case PVM_DCPLX: PVM(pvm_upkdcplx(items, n, 1)); break;
    case PVM_LONG: PVM(pvm_upklong(items, n, 1)); break;
    case PVM_USHORT: PVM(pvm_upkushort(items, n, 1)); break;
    case PVM_UINT: PVM(pvm_upkuint(items, n, 1)); break;
    case PVM_ULONG: PVM(pvm_upkulong(items, n, 1)); break;
    }
}

static void reverse(char *items, int n, size_t size)
{
    char item[16];
    for (int i = 0; i < n / 2; i++) {
        char *low = items + i * size, *high = items + (n - 1 - i) * size;
        memcpy(item, low, size);
        memcpy(low, high, size);
        memcpy(high, item, size);
    }
}

/*
 * Answers each message, whose tag is a type and whose body is an encoding, a number of
 * items and the items, by the items in reverse order in that encoding.
 */
static void echo(void)
{
    for (;;) {
        int bufid = pvm_recv(-1, -1), tag, tid, encoding, n;
        check(bufid, "pvm_recv");
        PVM(pvm_bufinfo(bufid, NULL, &tag, &tid));
        if (tag == STOP)
            return;
        PVM(pvm_upkint(&encoding, 1, 1));
        PVM(pvm_upkint(&n, 1, 1));
        char *items = malloc((n + 1) * sizes[tag]);
        unpack(tag, items, n);
        reverse(items, n, sizes[tag]);
        PVM(pvm_initsend(encoding));
        PVM(pvm_pkint(&n, 1, 1));
        pack(tag, items, n);
        /* what is packed in place is read by the send */
        PVM(pvm_send(tid, tag + REPLY));
        free(items);
    }
}

/* Fills an array of any number type with 1, 2, 3, ...; complex ones with 1+2i, 3+4i, ... */
static void fill(int type, void *items, int n)
{
    for (int i = 0; i < n; i++)
        switch (type) {
        case PVM_STR: ((char *)items)[i] = 'a' + i % 26; ((char *)items)[n] = 0; break;
        case PVM_BYTE: ((char *)items)[i] = i + 1; break;
        case PVM_SHORT: case PVM_USHORT: ((short *)items)[i] = i + 1; break;
        case PVM_INT: case PVM_UINT: ((int *)items)[i] = i + 1; break;
        case PVM_LONG: case PVM_ULONG: ((long *)items)[i] = i + 1; break;
        case PVM_FLOAT: ((float *)items)[i] = i + 1; break;
        case PVM_DOUBLE: ((double *)items)[i] = i + 1; break;
        case PVM_CPLX:
            ((float *)items)[2 * i] = 2 * i + 1; ((float *)items)[2 * i + 1] = 2 * i + 2;
            break;
        case PVM_DCPLX:
            ((double *)items)[2 * i] = 2 * i + 1; ((double *)items)[2 * i + 1] = 2 * i + 2;
            break;
        }
}

/*
 * Spawns `argv` as a task, which must answer as echo() does, sends it every type in two
 * encodings, and learns from a notification that it has left.
 */
static void spawn(char **argv)
{
    int tid, gone, n = 17;
    EXPECT(pvm_spawn(argv[0], argv + 1, PvmTaskDefault, "", 1, &tid) == 1);
    PVM(pvm_notify(PvmTaskExit, 5, 1, &tid));
    for (int encoding = PvmDataDefault; encoding <= PvmDataRaw; encoding++)
        for (int type = PVM_STR; type <= PVM_ULONG; type++) {
            char sent[300] = "", back[300] = "";
            int count;
            fill(type, sent, n);
            PVM(pvm_initsend(encoding));
            PVM(pvm_pkint(&encoding, 1, 1));
            PVM(pvm_pkint(&n, 1, 1));
            pack(type, sent, n);
            PVM(pvm_send(tid, type));
            PVM(pvm_recv(tid, type + REPLY));
            PVM(pvm_upkint(&count, 1, 1));
            EXPECT(count == n);
            unpack(type, back, n);
            reverse(back, n, sizes[type]);
            printf("type %d encoding %d\n", type, encoding);
            EXPECT(memcmp(sent, back, n * sizes[type]) == 0);
        }
    PVM(pvm_initsend(PvmDataDefault));
    PVM(pvm_send(tid, STOP));
    PVM(pvm_recv(-1, 5));
    PVM(pvm_upkint(&gone, 1, 1));
    EXPECT(gone == tid);
}

/*
 * Spawns `argv` three times, multicasts the tids and a number to all, and expects each to
 * answer with that number plus its place among its siblings.
 */
static void multicast(char **argv)
{
    int tids[3], number = 40, answer, seen = 0;
    EXPECT(pvm_spawn(argv[0], argv + 1, PvmTaskDefault, "", 3, tids) == 3);
    PVM(pvm_initsend(PvmDataDefault));
    PVM(pvm_pkint(tids, 3, 1));
    PVM(pvm_pkint(&number, 1, 1));
    PVM(pvm_mcast(tids, 3, 6));
    for (int i = 0; i < 3; i++) {
        PVM(pvm_recv(tids[i], 7));
        PVM(pvm_upkint(&answer, 1, 1));
        EXPECT(answer == number + i);
        seen++;
    }
    EXPECT(seen == 3);
}

static void product(int *type, void *x, void *y, int *n, int *info)
{
    for (int i = 0; i < *n; i++)
        ((double *)x)[i] *= ((double *)y)[i];
    *info = *type == PVM_DOUBLE ? PvmOk : PvmBadParam;
}

/*
 * Is a member of group `name` of `size` members, whose others do the same in Python:
 * barriers, a broadcast from each, scatter, gather and reductions with each as root.
 */
static void group(const char *name_, int size)
{
    char *name = strdup(name_);
    int me = pvm_joingroup(name), from, n;
    check(me, "pvm_joingroup");
    EXPECT(pvm_freezegroup(name, size) == size);
    EXPECT(pvm_gsize(name) == size);
    EXPECT(pvm_gettid(name, me) == pvm_mytid());
    PVM(pvm_barrier(name, size));

    PVM(pvm_initsend(PvmDataDefault));
    PVM(pvm_pkint(&me, 1, 1));
    PVM(pvm_bcast(name, 8));
    for (int i = 0; i < size - 1; i++) {
        int bufid = pvm_recv(-1, 8), tid;
        PVM(pvm_bufinfo(bufid, NULL, NULL, &tid));
        PVM(pvm_upkint(&from, 1, 1));
        EXPECT(pvm_gettid(name, from) == tid && pvm_getinst(name, tid) == from);
    }

    for (int root = 0; root < size; root++) {
        int part[2], all[64];
        double values[3], factors[1];
        for (int i = 0; i < 2 * size; i++)
            all[i] = 10 * root + i;
        PVM(pvm_barrier(name, size));
        PVM(pvm_scatter(part, all, 2, PVM_INT, 20 + root, name, root));
        EXPECT(part[0] == 10 * root + 2 * me && part[1] == 10 * root + 2 * me + 1);

        memset(all, 0, sizeof all);
        PVM(pvm_barrier(name, size));
        PVM(pvm_gather(all, part, 2, PVM_INT, 40 + root, name, root));
        for (int i = 0; me == root && i < 2 * size; i++)
            EXPECT(all[i] == 10 * root + i);

        for (int i = 0; i < 3; i++)
            values[i] = me + i;
        PVM(pvm_barrier(name, size));
        PVM(pvm_reduce(PvmMax, values, 3, PVM_DOUBLE, 60 + root, name, root));
        for (int i = 0; me == root && i < 3; i++)
            EXPECT(values[i] == size - 1 + i);

        n = me + 1;
        PVM(pvm_barrier(name, size));
        PVM(pvm_reduce(PvmSum, &n, 1, PVM_INT, 80 + root, name, root));
        EXPECT(me != root || n == size * (size + 1) / 2);

        factors[0] = me + 1;
        PVM(pvm_barrier(name, size));
        PVM(pvm_reduce(product, factors, 1, PVM_DOUBLE, 100 + root, name, root));
        double factorial = 1;
        for (int i = 2; i <= size; i++)
            factorial *= i;
        EXPECT(me != root || factors[0] == factorial);
    }
    PVM(pvm_barrier(name, size));
    PVM(pvm_lvgroup(name));
}

/* Exchanges arrays with the parent by psend and precv, in the type and length it names. */
static void direct(void)
{
    int type, n, tid, tag, bytes;
    PVM(pvm_setopt(PvmRoute, PvmRouteDirect));
    for (;;) {
        PVM(pvm_recv(pvm_parent(), -1));
        PVM(pvm_upkint(&type, 1, 1));
        PVM(pvm_upkint(&n, 1, 1));
        if (type < 0)
            return;
        char *items = malloc(n * sizes[type] + 1);
        PVM(pvm_precv(pvm_parent(), 9, items, n, type, &tid, &tag, &bytes));
        EXPECT(tid == pvm_parent() && tag == 9 && bytes == (int)(n * sizes[type]));
        reverse(items, n, sizes[type]);
        PVM(pvm_psend(tid, 10, items, n, type));
        free(items);
    }
}

/*
 * Puts a string in the mailbox as "from C" and takes the one "from Python", waiting for
 * it; then reads an entry of the older interface, and speaks to the parent in a context
 * that this names in a message.
 */
static void mailbox(void)
{
    char text[100];
    int number, context;
    PVM(pvm_initsend(PvmDataDefault));
    PVM(pvm_pkstr("put by C"));
    PVM(pvm_putinfo("from C", pvm_getsbuf(), PvmMboxDefault));
    PVM(pvm_recvinfo("from Python", 0, PvmMboxWaitForInfo));
    PVM(pvm_upkstr(text));
    EXPECT(strcmp(text, "put by Python") == 0);
    PVM(pvm_lookup("number", 3, &number));
    EXPECT(number == -42);

    context = pvm_newcontext();
    PVM(pvm_initsend(PvmDataDefault));
    PVM(pvm_pkint(&context, 1, 1));
    PVM(pvm_send(pvm_parent(), 11));
    PVM(pvm_setcontext(context));
    PVM(pvm_recv(pvm_parent(), 12));
    PVM(pvm_upkstr(text));
    EXPECT(strcmp(text, "in your context") == 0);
    PVM(pvm_initsend(PvmDataDefault));
    PVM(pvm_pkstr("heard"));
    PVM(pvm_send(pvm_parent(), 13));
}

/* Packs a message with pvm_packf and reads the answer with pvm_unpackf. */
static void format(void)
{
    short s[2] = {-1, 2}, hs[2];
    int i;
    double d;
    char text[100];
    PVM(pvm_packf("%+ %d %2hd %f %lf %s", PvmDataDefault, 7, s, 1.5f, 2.25, "formatted"));
    PVM(pvm_send(pvm_parent(), 14));
    PVM(pvm_recv(pvm_parent(), 15));
    PVM(pvm_unpackf("%d %2hd %lf %s", &i, hs, &d, text));
    EXPECT(i == 7 && hs[0] == -1 && hs[1] == 2 && d == 2.25);
    EXPECT(strcmp(text, "formatted") == 0);
}

int main(int argc, char **argv)
{
    const char *part = argc > 1 ? argv[1] : "";
    setvbuf(stdout, NULL, _IOLBF, 0);
    check(pvm_mytid(), "pvm_mytid");
    if (!strcmp(part, "echo"))
        echo();
    else if (!strcmp(part, "spawn") && argc > 2)
        spawn(argv + 2);
    else if (!strcmp(part, "multicast") && argc > 2)
        multicast(argv + 2);
    else if (!strcmp(part, "group") && argc == 4)
        group(argv[2], atoi(argv[3]));
    else if (!strcmp(part, "direct"))
        direct();
    else if (!strcmp(part, "mailbox"))
        mailbox();
    else if (!strcmp(part, "format"))
        format();
    else {
        printf("no part '%s' with these arguments\n", part);
        return 2;
    }
    printf("ok %s\n", part);
    pvm_exit();
    return 0;
}
