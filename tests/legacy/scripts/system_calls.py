# Processes, pipes, signals, sockets.
import os, shutil, sys, tempfile, signal, time, socket, select, subprocess, threading, fcntl, pwd, errno, resource, SocketServer
p = subprocess.Popen(['sort'], stdin=subprocess.PIPE, stdout=subprocess.PIPE); print p.communicate('b\na\n'), p.returncode
p = subprocess.Popen('echo out; echo err >&2; exit 3', shell=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT); print p.stdout.read(), p.wait()
print subprocess.call(['true']), subprocess.call('exit 4', shell=1)
try: subprocess.check_call(['false'])
except subprocess.CalledProcessError, e: print e, e.returncode, e.cmd
try: subprocess.Popen(['/no/such'])
except OSError, e: print e, e.errno == errno.ENOENT
print subprocess.Popen('cat', stdin=open(sys.argv[0]), stdout=subprocess.PIPE).communicate()[0][:9], subprocess.Popen(['env'], env={'A': 'b'}, stdout=subprocess.PIPE).communicate()[0]
for line in subprocess.Popen('echo 1; echo 2', shell=True, stdout=subprocess.PIPE).stdout: print repr(line),
print
class Alarm(Exception): pass
def handler(n, frame): raise Alarm('alarm %d' % n)
signal.signal(signal.SIGALRM, handler); signal.setitimer(signal.ITIMER_REAL, 0.05)
try: time.sleep(5)
except Alarm, e: print e
signal.alarm(0); print signal.getsignal(signal.SIGALRM) is handler, signal.SIG_DFL, signal.SIGTERM, type(signal.SIGINT)
r, w = os.pipe(); os.write(w, 'through pipe'); print os.read(r, 100), select.select([r], [], [], 0)[0]; os.close(w); print repr(os.read(r, 1))
def serve(s):
    c, addr = s.accept(); data = c.recv(100); c.send(data.upper()); f = c.makefile('w'); f.write('line\n'); f.flush(); c.close(); f.close()
s = socket.socket(socket.AF_INET, socket.SOCK_STREAM); s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1); s.bind(('127.0.0.1', 0)); s.listen(1)
t = threading.Thread(target=serve, args=(s,)); t.start()
c = socket.socket(); c.connect(s.getsockname()); c.sendall('hello\xff'); f = c.makefile(); print repr(f.read()); c.close(); t.join()
try: socket.socket().connect(('127.0.0.1', 1))
except socket.error, (n, msg): print n == errno.ECONNREFUSED, msg
c = socket.socket(); c.settimeout(0.05); c.bind(('127.0.0.1', 0)); c.listen(1)
try: c.accept()
except socket.timeout, e: print 'timeout', e
try: socket.gethostbyname('no.such.host.invalid')
except socket.gaierror, e: print 'gaierror'
print socket.inet_aton('1.2.3.4'), repr(socket.inet_ntoa('\x7f\0\0\1')), socket.htons(1), type(socket.gethostname())
print pwd.getpwuid(0)[0], pwd.getpwnam('root').pw_dir, resource.getrlimit(resource.RLIMIT_CORE)[0] is not None
pid = os.fork()
if not pid:
    try: time.sleep(10)
    finally: os._exit(0)
os.kill(pid, signal.SIGTERM); x, st = os.waitpid(pid, 0); print os.WIFSIGNALED(st), os.WTERMSIG(st), st
print os.spawnlp(os.P_WAIT, 'sh', 'sh', '-c', 'exit 5'), os.system('exit 2') >> 8, os.popen('echo x').readline().strip()
a, b = socket.socketpair(); a.send('pair'); print b.recv(10)
fl = fcntl.fcntl(r, fcntl.F_GETFL); print type(fl); print os.isatty(0), os.ttyname if 0 else '', os.getloadavg() is not None, os.times()[0] >= 0, os.access('/etc/passwd', os.R_OK), os.umask(022) >= 0, os.getlogin if 0 else ''
sys.stdout.flush(); os.dup2(1, 9); os.write(9, 'raw\n'); os.chdir(tempfile.mkdtemp()); open('run.py', 'w').close(); os.symlink('run.py', 'link'); print os.readlink('link'), os.path.islink('link'), os.lstat('link').st_size, os.path.realpath('link') == os.path.realpath('run.py'), os.path.samefile('link', 'run.py')
try: os.execvp('nosuchprog', ['nosuchprog'])
except OSError, e: print e
def onexit(*a): print 'atexit', a
shutil.rmtree(os.getcwd())
import atexit; atexit.register(onexit, 1, 2)
