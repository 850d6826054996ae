"""The checker itself: histories of which it must say yes, and some of which it must say no."""
import itertools
import random
import unittest

import linear

FOREVER = linear.FOREVER


def job(name, accepted, begun, ended, **more):
    return linear.Job(name, accepted, begun, ended, **more)


class Good(unittest.TestCase):
    def order(self, *jobs):
        return linear.check(list(jobs))

    def test_an_empty_history_is_explained(self):
        self.assertEqual(self.order(), [])

    def test_jobs_one_after_the_other_are_explained(self):
        self.assertEqual(self.order(job("a", (0, 1), (1, 2), (2, 3)),
                                    job("b", (4, 5), (5, 6), (6, 7))), ["a", "b"])

    def test_of_two_asked_for_at_once_either_may_have_been_the_first(self):
        """The second in the list is seen to have ended before the first began."""
        self.assertEqual(self.order(job("a", (0, 10), (20, 30), (30, 40)),
                                    job("b", (0, 10), (0, 12), (12, 15))), ["b", "a"])

    def test_an_end_nobody_saw_may_be_at_any_time(self):
        self.order(job("a", (0, 1), (0, FOREVER), (0, FOREVER)), job("b", (2, 3), (2, 9), (3, 10)))

    def test_what_was_withdrawn_holds_nobody_up(self):
        self.order(job("a", (0, 1), (0, 2), (8, 9)), job("gone", (2, 3), None, (20, 30)),
                   job("b", (4, 5), (9, 12), (12, 13)))

    def test_mode_fail_is_accepted_once_all_is_over(self):
        self.order(job("a", (0, 1), (1, 2), (3, 4)), job("b", (3, 9), (3, 10), (3, 11), fail=True))

    def test_one_joins_the_last_in_line(self):
        """It is seen to end before it was itself seen to have begun: with the other."""
        self.order(job("a", (0, 1), (0, 8), (4, 9)), job("b", (2, 3), (0, 8), (0, 9), joined="a"),
                   job("c", (4, 6), (4, 20), (4, 21)))

    def test_the_search_goes_back_where_the_likelier_one_was_wrong(self):
        """What mode=fail needs is found only when another stands behind it."""
        self.assertEqual(self.order(job("b", (0, 10), (12, 20), (20, 30)),
                                    job("f", (0, 11), (0, 20), (0, 21), fail=True))[0], "f")

    def test_every_history_that_a_queue_makes_is_explained(self):
        for seed in range(300):
            linear.check(simulated(random.Random(seed)))


class Bad(unittest.TestCase):
    def refused(self, *jobs):
        with self.assertRaises(linear.Impossible) as caught:
            linear.check(list(jobs))
        return caught.exception

    def test_a_swapped_order_is_found(self):
        self.refused(job("a", (0, 1), (20, 30), (30, 40)), job("b", (2, 3), (4, 5), (5, 6)))

    def test_one_that_began_beside_another_is_found(self):
        self.refused(job("a", (0, 1), (2, 3), (10, 11)), job("b", (2, 3), (4, 5), (11, 12)))

    def test_one_that_began_before_it_was_asked_for_is_found(self):
        self.refused(job("a", (5, 6), (0, 4), (6, 7)))

    def test_one_that_ended_before_it_began_is_found(self):
        self.refused(job("a", (0, 1), (5, 6), (2, 3)))

    def test_mode_fail_that_was_accepted_beside_another_is_found(self):
        self.refused(job("a", (0, 1), (1, 2), (10, 11)),
                     job("b", (3, 4), (11, 12), (12, 13), fail=True))

    def test_mode_fail_that_was_accepted_beside_one_that_was_withdrawn_later_is_found(self):
        self.refused(job("a", (0, 1), None, (10, 11)),
                     job("b", (3, 4), (11, 12), (12, 13), fail=True))

    def test_one_that_joined_across_another_is_found(self):
        self.refused(job("a", (0, 1), (8, 9), (9, 10)), job("b", (2, 3), (11, 12), (12, 13)),
                     job("c", (4, 5), (8, 9), (9, 10), joined="a"))

    def test_one_that_joined_what_had_begun_is_found(self):
        self.refused(job("a", (0, 1), (1, 2), (9, 10)),
                     job("b", (4, 5), (1, FOREVER), (9, 10), joined="a"))

    def test_one_that_joined_nothing_is_found(self):
        self.refused(job("b", (4, 5), (5, 6), (9, 10), joined="a"))

    def test_an_order_that_the_daemon_claims_and_cannot_be_is_found(self):
        self.refused(job("a", (0, 1), (0, FOREVER), (0, FOREVER), claimed=200),
                     job("b", (2, 3), (0, FOREVER), (0, FOREVER), claimed=100))

    def test_three_of_which_each_two_agree_are_found(self):
        """a before b by their acceptance, b before c by their beginnings, c before a by both."""
        self.refused(job("a", (4, 5), (20, 21), (0, FOREVER)),
                     job("b", (6, 30), (0, 19), (0, FOREVER)),
                     job("c", (0, 30), (0, FOREVER), (0, FOREVER)))

    def test_a_history_with_two_jobs_swapped_is_never_explained(self):
        """What is seen of two jobs is exchanged, where that makes a difference."""
        found = 0
        for seed in range(200):
            jobs = simulated(random.Random(seed), exact=True)
            ran = [j for j in jobs if j.begun and j.joined is None and not j.fail]
            for one, other in itertools.pairwise(ran):
                if one.accepted[1] < other.accepted[0]:
                    one.begun, other.begun = other.begun, one.begun
                    one.ended, other.ended = other.ended, one.ended
                    self.refused(*jobs)
                    found += 1
                    break
        self.assertGreater(found, 100)


class Judge(unittest.TestCase):
    def test_it_agrees_with_one_who_tries_every_order(self):
        """On small random histories, good and bad ones."""
        verdicts = {True: 0, False: 0}
        for seed in range(1500):
            rng = random.Random(seed)
            jobs = [self.random_job(rng, name) for name in range(rng.randint(2, 5))]
            expected = any(self.fits(order) for order in itertools.permutations(jobs))
            try:
                linear.check([linear.Job(j.name, j.accepted, j.begun, j.ended, fail=j.fail)
                              for j in jobs])
                found = True
            except linear.Impossible:
                found = False
            self.assertEqual(found, expected, (seed, jobs))
            verdicts[found] += 1
        self.assertGreater(min(verdicts.values()), 200)

    @staticmethod
    def random_job(rng, name):
        def interval(after):
            low = after + rng.randint(-4, 4)
            return (low, low + rng.randint(0, 6))
        start = rng.randint(0, 12)
        begun = interval(start + 2) if rng.random() < 0.8 else None
        return linear.Job(name, interval(start), begun, interval(start + 4),
                          fail=rng.random() < 0.25)

    @staticmethod
    def fits(order):
        """Each moment as early as it can be, in this order; written apart from the checker."""
        accepted = chain = every = -FOREVER
        for one in order:
            at = max(accepted, one.accepted[0], every if one.fail else -FOREVER)
            if at > one.accepted[1]:
                return False
            accepted = at
            if one.begun:
                at = max(at, chain, one.begun[0])
                if at > one.begun[1]:
                    return False
            at = max(at, one.ended[0])
            if at > one.ended[1]:
                return False
            every = max(every, at)
            if one.begun:
                chain = at
        return True


def simulated(rng, exact=False):
    """Jobs as a real queue would make them, seen more or less sharply."""
    blur = 1 if exact else 40
    now, free, over, jobs = 0, 0, 0, []
    for name in range(rng.randint(3, 30)):
        now += rng.randint(1, 30)
        fail = now > over and rng.random() < 0.2
        if rng.random() < 0.2 and not fail:
            end = now + rng.randint(1, 50)
            moments, begun = (now, end), None
        else:
            begun = max(now, free) + rng.randint(1, 5)
            free = begun + rng.randint(1, 30)
            moments = (now, free)
        over = max(over, moments[1])
        spans = [(at - rng.randint(1, blur), at + rng.randint(1, blur)) if not exact
                 else (at, at) for at in (moments[0], begun or 0, moments[1])]
        jobs.append(linear.Job(name, spans[0], spans[1] if begun else None, spans[2], fail=fail))
    rng.shuffle(jobs)
    return jobs


if __name__ == "__main__":
    unittest.main(verbosity=2)
