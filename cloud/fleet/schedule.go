package fleet

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/fleetjoin/fleetjoin/cloud/membership"
)

// schedule is a window that has been understood.
type schedule struct {
	on       [7]bool       // the weekdays on which it opens
	from, to time.Duration // since midnight of that day; to is above from
	zone     *time.Location
}

type schedules []schedule

const (
	day = 24 * time.Hour
	// daysAhead is how far to look for an opening: the clocks can take one from a week, but not from two.
	daysAhead = 15
	// forGood is how long windows have to be open to be so for good: within a year, all that zones do has been seen.
	forGood = 366 * day
)

var weekdays = []string{"sun", "mon", "tue", "wed", "thu", "fri", "sat"} // by time.Weekday

var clockForm = regexp.MustCompile(`^(([01][0-9]|2[0-3]):[0-5][0-9]|24:00)$`)

const (
	wantTime = `want a time such as "22:00" or "04:30"`
	wantDay  = `want a day or a range of days such as "mon" or "mon-fri", of mon, tue, wed, thu, fri, sat and sun`
	wantZone = `want a zone of the IANA database, such as "Europe/Berlin" or "UTC"`
)

// schedule reads a window, of which field is the name. One without problems opens every week but for changes of clocks.
func (w Window) schedule(field string) (s schedule, ps []membership.Problem) {
	bad := func(name, value, want string) {
		if value == "" {
			want = "is missing; " + want
		} else {
			value = membership.Quote(value)
		}
		ps = append(ps, membership.Problem{Field: field + "." + name, Value: value, Want: want})
	}
	if w.Days == nil {
		s.on = [7]bool{true, true, true, true, true, true, true}
	} else if len(w.Days) == 0 {
		ps = append(ps, membership.Problem{Field: field + ".days",
			Want: "is empty, so it never opens; leave it out for every day"})
	}
	for i, d := range w.Days {
		if !s.open(d) {
			bad(fmt.Sprintf("days[%d]", i), d, wantDay)
		}
	}
	var fromOK, toOK bool
	if s.from, fromOK = clock(w.From); !fromOK || s.from == day {
		bad("from", w.From, wantTime)
	}
	if s.to, toOK = clock(w.To); !toOK {
		bad("to", w.To, wantTime+`, or "24:00"`)
	}
	switch {
	case !fromOK || !toOK:
	case s.from == s.to:
		bad("to", w.To, `is the same as from, so it never opens; the whole day is from "00:00" to "24:00"`)
	case s.to < s.from:
		s.to += day
	}
	var err error
	// To LoadLocation, "" is a zone, and "Local" is whichever the machine is in.
	if s.zone, err = time.LoadLocation(w.Zone); w.Zone == "" || w.Zone == "Local" || err != nil {
		bad("zone", w.Zone, wantZone)
	}
	return s, ps
}

// open adds a day or a range of days, which may go over the end of the week.
func (s *schedule) open(days string) bool {
	first, last, isRange := strings.Cut(days, "-")
	if !isRange {
		last = first
	}
	from, to := slices.Index(weekdays, first), slices.Index(weekdays, last)
	if from < 0 || to < 0 {
		return false
	}
	for d := from; ; d = (d + 1) % len(weekdays) {
		s.on[d] = true
		if d == to {
			return true
		}
	}
}

// clock reads "22:00" as the time since midnight.
func clock(text string) (time.Duration, bool) {
	if !clockForm.MatchString(text) {
		return 0, false
	}
	digit := func(i int) time.Duration { return time.Duration(text[i] - '0') }
	return (10*digit(0)+digit(1))*time.Hour + (10*digit(3)+digit(4))*time.Minute, true
}

// opens returns the first moment from t on at which any is open.
func (all schedules) opens(t time.Time) (first time.Time, ok bool) {
	for _, s := range all {
		if o, comes := s.next(t); comes && (!ok || o.Opens.Before(first)) {
			first, ok = o.Opens, true
		}
	}
	if ok && first.Before(t) {
		first = t
	}
	return first.In(t.Location()), ok
}

// closes returns the first moment after t at which none is open, where one is at t: it goes from one to the next while
// they overlap or touch.
func (all schedules) closes(t time.Time) (last time.Time, ok bool) {
	for last = t; last.Sub(t) < forGood; {
		before := last
		for _, s := range all {
			if o, comes := s.next(last); comes && !o.Opens.After(last) {
				last = o.Closes
			}
		}
		if last.Equal(before) {
			return last.In(t.Location()), true
		}
	}
	return time.Time{}, false
}

// next returns the first opening that has not closed at t.
func (s schedule) next(t time.Time) (Opening, bool) {
	y, m, d := t.In(s.zone).Date()
	for i := -1; i <= daysAhead; i++ { // from yesterday on, which may be open past midnight
		midnight := time.Date(y, m, d+i, 0, 0, 0, 0, time.UTC)
		if !s.on[midnight.Weekday()] {
			continue
		}
		o := Opening{Opens: firstAt(midnight.Add(s.from), s.zone), Closes: firstAt(midnight.Add(s.to), s.zone)}
		if o.Opens.Before(o.Closes) && t.Before(o.Closes) {
			return o, true
		}
	}
	return Opening{}, false
}

// firstAt returns the first moment at which clocks show what wall shows in UTC, or later. time.Date is no help: which of
// two moments it returns is open, and for a time that clocks leave out it is not that of their change.
func firstAt(wall time.Time, zone *time.Location) time.Time {
	t := wall.Add(-day).In(zone) // clocks show less: no zone is a day ahead of UTC
	for {
		_, offset := t.Zone()
		at := wall.Add(-time.Duration(offset) * time.Second).In(zone)
		if at.Before(t) {
			return t // clocks are put forward over it
		}
		// An end that does not lie ahead is none: to the package time, years end after 365 days where a zone has a rule.
		if _, end := t.ZoneBounds(); end.After(t) && !at.Before(end) {
			t = end
			continue
		}
		return at
	}
}
