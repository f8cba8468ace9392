package fleet

import (
	"fmt"
	"time"

	"github.com/fleetjoin/fleetjoin/cloud/membership"
)

// Window is a span of time that comes every week. It opens, and closes, at the first moment at which the clocks of its
// zone show that time or a later one: when they are put back, what they show twice counts the first time; when they are
// put forward over it, it is then. A window within the hour that is left out does not open that day.
type Window struct {
	Days []string `json:"days,omitzero"` // "mon" to "sun", or "mon-fri", of the beginning; none: every day
	From string   `json:"from"`          // "22:00", local time
	To   string   `json:"to"`            // "04:00": the next day, when before From; "24:00" is the day's end
	Zone string   `json:"zone"`          // IANA, such as "Europe/Berlin"
}

// Windows say when members may be started on: when any of them is open; always, when there are none. A window with
// problems is never open. The answers depend on nothing but the arguments and the zone database, and are in the zone of
// the time that they were asked for.
type Windows []Window

// maxWindows bounds the time that a question takes: workflows ask.
const maxWindows = 100

// Opening is a time for which windows are open without a break.
type Opening struct {
	Opens  time.Time `json:"opens"`
	Closes time.Time `json:"closes,omitzero"` // zero: never
}

// Problems returns what is wrong with the windows; field names the list of them.
func (ws Windows) Problems(field string) (ps []membership.Problem) {
	if len(ws) > maxWindows {
		return []membership.Problem{{Field: field, Value: fmt.Sprintf("%d windows", len(ws)),
			Want: fmt.Sprintf("want at most %d", maxWindows)}}
	}
	for i, w := range ws {
		_, own := w.schedule(fmt.Sprintf("%s[%d]", field, i))
		ps = append(ps, own...)
	}
	return ps
}

// Open reports whether members may be started on at t.
func (ws Windows) Open(t time.Time) bool {
	opens, ok := ws.NextOpening(t)
	return ok && opens.Equal(t)
}

// NextOpening returns the first moment from t on that is open: t itself when it is. ok is false when none ever is.
func (ws Windows) NextOpening(t time.Time) (opens time.Time, ok bool) {
	if len(ws) == 0 {
		return t, true
	}
	return ws.schedules().opens(t)
}

// NextClosing returns when the windows close that are open at t or, when none is, those that open next. ok is false when
// that is never.
func (ws Windows) NextClosing(t time.Time) (closes time.Time, ok bool) {
	all := ws.schedules()
	opens, ok := all.opens(t)
	if !ok {
		return time.Time{}, false
	}
	return all.closes(opens)
}

// Openings returns the next n openings; the first begins at t when windows are open then. There are fewer when they
// never open, and when one never closes.
func (ws Windows) Openings(t time.Time, n int) (openings []Opening) {
	if len(ws) == 0 && n > 0 {
		return []Opening{{Opens: t}}
	}
	all := ws.schedules()
	for len(openings) < n {
		opens, ok := all.opens(t)
		if !ok {
			break
		}
		closes, ends := all.closes(opens)
		openings = append(openings, Opening{Opens: opens, Closes: closes})
		if !ends {
			break
		}
		t = closes
	}
	return openings
}

func (ws Windows) schedules() (all schedules) {
	for _, w := range ws {
		if s, ps := w.schedule(""); len(ps) == 0 {
			all = append(all, s)
		}
	}
	return all
}
