# What pvm3.h and pvmtev.h declare, in the headers' order.  No Python objects, no logic.

from libc.stdio cimport FILE
from posix.time cimport timeval

ctypedef int (*pvm_matcher)(int, int, int) noexcept nogil
ctypedef int (*pvm_handler)(int) noexcept nogil
ctypedef void (*pvm_reducer)(int *, void *, void *, int *, int *) noexcept nogil


cdef extern from "<stdio.h>" nogil:
    # pvm3.h declares pvm_catchout only where stdio.h came first
    pass


cdef extern from "pvm3.h" nogil:
    int PvmDataDefault, PvmDataRaw, PvmDataInPlace
    int PvmNotifyCancel, PvmTaskExit, PvmHostDelete, PvmHostAdd, PvmRouteAdd, PvmRouteDelete
    int PvmDontRoute
    int PvmRoute, PvmAutoErr, PvmOutputTid, PvmOutputCode, PvmOutputContext, PvmFragSize
    int PvmResvTids, PvmTaskSelf, PvmTaskChild
    int PvmOk, PvmBadParam, PvmMismatch, PvmOverflow, PvmNoData, PvmNoMem, PvmBadMsg
    int PvmSysErr, PvmNoBuf, PvmNoSuchBuf, PvmNoParent, PvmNotImpl, PvmDupHost
    int PvmOutOfRes, PvmCantStart, PvmAlready, PvmNotFound, PvmParentNotSet

    struct pvmhostinfo:
        int hi_tid
        char *hi_name
        char *hi_arch
        int hi_speed
        int hi_dsig

    struct pvmtaskinfo:
        int ti_tid
        int ti_ptid
        int ti_host
        int ti_flag
        char *ti_a_out
        int ti_pid

    struct pvmminfo:
        int len
        int ctx
        int tag
        int wid
        int enc
        int crc
        int src
        int dst

    struct pvmmboxinfo:
        char *mi_name
        int mi_nentries
        int *mi_indices
        int *mi_owners
        int *mi_flags

    char *pvmgetrsh()
    char *pvmgettmp()
    char *pvm_strerror()

    int pvm_addhosts(char **, int, int *)
    int pvm_addmhf(int, int, int, pvm_handler)
    int pvm_archcode(char *)
    int pvm_barrier(char *, int)
    int pvm_bcast(char *, int)
    int pvm_bufinfo(int, int *, int *, int *)
    int pvm_catchout(FILE *)
    int pvm_config(int *, int *, pvmhostinfo **)
    int pvm_delhosts(char **, int, int *)
    int pvm_delinfo(char *, int, int)
    int pvm_delmhf(int)
    int pvm_exit()
    int pvm_export(char *)
    int pvm_freebuf(int)
    int pvm_freecontext(int)
    int pvm_freezegroup(char *, int)
    int pvm_gather(void *, void *, int, int, int, char *, int)
    int pvm_getcontext()
    int pvm_getfds(int **)
    int pvm_getinst(char *, int)
    int pvm_getminfo(int, pvmminfo *)
    int pvm_getnoresets(int **, int *)
    int pvm_getopt(int)
    int pvm_getrbuf()
    int pvm_getsbuf()
    int pvm_gettid(char *, int)
    int pvm_gsize(char *)
    int pvm_halt()
    int pvm_hostsync(int, timeval *, timeval *)
    int pvm_initsend(int)
    int pvm_joingroup(char *)
    int pvm_kill(int)
    int pvm_lvgroup(char *)
    int pvm_getmboxinfo(char *, int *, pvmmboxinfo **)
    int pvm_mcast(int *, int, int)
    int pvm_mkbuf(int)
    int pvm_mstat(char *)
    int pvm_mytid()
    int pvm_newcontext()
    int pvm_notify(int, int, int, int *)
    int pvm_nrecv(int, int)
    int pvm_parent()
    int pvm_perror(char *)
    int pvm_pkbyte(char *, int, int)
    int pvm_pkcplx(float *, int, int)
    int pvm_pkdcplx(double *, int, int)
    int pvm_pkdouble(double *, int, int)
    int pvm_pkfloat(float *, int, int)
    int pvm_pkint(int *, int, int)
    int pvm_pklong(long *, int, int)
    int pvm_pkshort(short *, int, int)
    int pvm_pkstr(char *)
    int pvm_pkuint(unsigned int *, int, int)
    int pvm_pkulong(unsigned long *, int, int)
    int pvm_pkushort(unsigned short *, int, int)
    int pvm_pkmesg(int)
    int pvm_pkmesgbody(int)
    int pvm_probe(int, int)
    int pvm_psend(int, int, void *, int, int)
    int pvm_pstat(int)
    int pvm_putinfo(char *, int, int)
    pvm_matcher pvm_recvf(pvm_matcher)
    int pvm_recvinfo(char *, int, int)
    int pvm_reduce(pvm_reducer, void *, int, int, int, char *, int)

    void PvmMax(int *, void *, void *, int *, int *)
    void PvmMin(int *, void *, void *, int *, int *)
    void PvmSum(int *, void *, void *, int *, int *)
    void PvmProduct(int *, void *, void *, int *, int *)

    int pvm_reg_hoster()
    int pvm_reg_rm(pvmhostinfo **)
    int pvm_reg_tasker()
    int pvm_reg_tracer(int, int, int, int, char *, int, int)
    int pvm_scatter(void *, void *, int, int, int, char *, int)
    int pvm_send(int, int)
    int pvm_sendsig(int, int)
    int pvm_setcontext(int)
    int pvm_setminfo(int, pvmminfo *)
    int pvm_setopt(int, int)
    int pvm_setrbuf(int)
    int pvm_setsbuf(int)
    int pvm_siblings(int **)
    int pvm_spawn(char *, char **, int, char *, int, int *)
    int pvm_tasks(int, int *, pvmtaskinfo **)
    int pvm_tickle(int, int *, int *, int *)
    int pvm_tidtohost(int)
    int pvm_unexport(char *)
    int pvm_upkbyte(char *, int, int)
    int pvm_upkcplx(float *, int, int)
    int pvm_upkdcplx(double *, int, int)
    int pvm_upkdouble(double *, int, int)
    int pvm_upkfloat(float *, int, int)
    int pvm_upkint(int *, int, int)
    int pvm_upklong(long *, int, int)
    int pvm_upkshort(short *, int, int)
    int pvm_upkstr(char *)
    int pvm_upkuint(unsigned int *, int, int)
    int pvm_upkulong(unsigned long *, int, int)
    int pvm_upkushort(unsigned short *, int, int)
    int pvm_upkmesg()
    char *pvm_version()

    int pvm_delete(char *, int)
    int pvm_insert(char *, int, int)
    int pvm_lookup(char *, int, int *)


cdef extern from "pvmtev.h" nogil:
    int TEV_MASK_LENGTH
    int pvm_gettmask(int, char *)
    int pvm_settmask(int, char *)


cdef extern from * nogil:
    """
    /* Exported by libpvm3 and declared in none of its public headers. */
    extern int pvmmytid;          /* own tid; -1 while the process is not enrolled */
    extern int pvmmyctx;          /* current context */
    extern int pvmmydsig;         /* own data format */
    extern void **pvmrxlist;      /* ring of messages that were read and not received yet; the
                                     first field of each is the next one.  NULL at first */
    extern int pvm_errno;
    extern int pvm_nerr;
    extern char *pvm_errlist[];
    extern int pvmendtask(void);  /* forget the connection without a word to the daemon */
    extern int pvmgetdsig(void);
    """
    int pvmmytid
    int pvmmyctx
    int pvmmydsig
    void **pvmrxlist
    int pvm_errno
    int pvm_nerr
    char **pvm_errlist
    int pvmendtask()
    int pvmgetdsig()
