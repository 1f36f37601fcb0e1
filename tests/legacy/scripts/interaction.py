"""raw_input, input, sys.stdin, arguments and the end of a line."""
import sys
print sys.argv[1:], sys.argv[0][-14:], __name__, __file__[-14:]
print 'before',
print repr(raw_input('prompt> '))
print input('eval> ') / 2
print repr(sys.stdin.readline()), [line for line in sys.stdin]
try:
    raw_input()
except EOFError:
    print 'EOF'
print 'open line',
