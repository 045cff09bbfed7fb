import cProfile, pstats
from benchmarks import act
def run(bench):
    env=bench.env
    c=act.Capture(env); c.measure()
    n=env.cr.sql_log_count
    p=cProfile.Profile(); p.enable(); c.measure(); p.disable()
    print('statements', env.cr.sql_log_count-n)
    st=pstats.Stats(p); st.sort_stats('cumulative').print_stats(110)
    yield {}
