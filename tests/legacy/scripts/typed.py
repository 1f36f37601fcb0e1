# statements that are typed, or come as text one by one
import code
ii = code.InteractiveInterpreter({'x': 7})
print ii.runsource('print x / 2'), ii.runsource('for i in range(2):'), ii.runsource('y = (1,'), ii.runsource('print `x`, ; print')
print ii.runsource('def f(a):\n  return a / 2\n'), ii.runsource('f(5)'), ii.locals['f'](9), sorted([k for k in ii.locals if k[:2] != '__'])
print ii.runsource('if x:\n  print "yes"'), ii.runsource('if x:\n  print "yes"\n'), ii.runsource(''), ii.runsource('# c'), ii.runsource("'''a"), ii.runsource('class A:\n  pass\n')
print code.compile_command("if 1:")
c = code.InteractiveConsole({'z': 5})
print c.push('print z / 2'), c.push('if z:'), c.push('  print "in"'), c.push('')
lines = ['print 1 / 2', 'for i in 1, 2:', '    print i,', '', 'print map(str, [1])']
def read(prompt=''):
    if not lines: raise EOFError
    return lines.pop(0)
code.interact('hello', read, {})
