package fleet_test

import (
	"fmt"
	"slices"
	"testing"
	"time"
	_ "time/tzdata" // the zones are the same on every machine that has none

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/fleetjoin/fleetjoin/cloud/fleet"
)

const (
	berlin  = "Europe/Berlin"    // +01:00; in 2026, 03-29 02:00 is 03:00 and 10-25 03:00 is 02:00
	newYork = "America/New_York" // -05:00; in 2026, 03-08 02:00 is 03:00 and 11-01 02:00 is 01:00
)

func moment(t require.TestingT, text string) time.Time {
	m, err := time.Parse("2006-01-02T15:04Z07:00", text)
	require.NoError(t, err)
	return m
}

// told lists openings as in the tables: local times with their offsets.
func told(zone string, openings []fleet.Opening) (lines []string) {
	loc, err := time.LoadLocation(zone)
	if err != nil {
		return []string{err.Error()}
	}
	for _, o := range openings {
		line := o.Opens.In(loc).Format("01-02T15:04-07")
		if !o.Closes.IsZero() {
			line += " " + o.Closes.In(loc).Format("01-02T15:04-07")
		}
		lines = append(lines, line)
	}
	return lines
}

func on(zone, from, to string, days ...string) fleet.Window {
	return fleet.Window{Days: days, From: from, To: to, Zone: zone}
}

func TestOpenings(t *testing.T) {
	for name, c := range map[string]struct {
		windows fleet.Windows
		from    string
		want    []string
	}{
		"every day": {fleet.Windows{on(berlin, "09:00", "17:00")}, "2026-06-01T00:00Z",
			[]string{"06-01T09:00+02 06-01T17:00+02", "06-02T09:00+02 06-02T17:00+02"}},
		"open already": {fleet.Windows{on(berlin, "09:00", "17:00")}, "2026-06-01T10:30+02:00",
			[]string{"06-01T10:30+02 06-01T17:00+02", "06-02T09:00+02 06-02T17:00+02"}},
		"just closed": {fleet.Windows{on(berlin, "09:00", "17:00")}, "2026-06-01T17:00+02:00",
			[]string{"06-02T09:00+02 06-02T17:00+02"}},
		"past midnight, by the day of the beginning": {fleet.Windows{on(berlin, "22:00", "04:00", "fri")},
			"2026-06-06T01:00+02:00", []string{"06-06T01:00+02 06-06T04:00+02", "06-12T22:00+02 06-13T04:00+02"}},
		"to the day's end": {fleet.Windows{on(berlin, "22:00", "24:00", "fri")},
			"2026-06-01T00:00Z", []string{"06-05T22:00+02 06-06T00:00+02", "06-12T22:00+02 06-13T00:00+02"}},
		"midnight is the day's end, too": {fleet.Windows{on(berlin, "22:00", "00:00", "fri")},
			"2026-06-01T00:00Z", []string{"06-05T22:00+02 06-06T00:00+02"}},
		"a range of days": {fleet.Windows{on(berlin, "09:00", "10:00", "tue-thu")}, "2026-06-05T00:00Z",
			[]string{"06-09T09:00+02 06-09T10:00+02", "06-10T09:00+02 06-10T10:00+02",
				"06-11T09:00+02 06-11T10:00+02", "06-16T09:00+02 06-16T10:00+02"}},
		"a range over the end of the week": {fleet.Windows{on(berlin, "09:00", "10:00", "sat-mon")}, "2026-06-05T00:00Z",
			[]string{"06-06T09:00+02 06-06T10:00+02", "06-07T09:00+02 06-07T10:00+02",
				"06-08T09:00+02 06-08T10:00+02", "06-13T09:00+02 06-13T10:00+02"}},
		"windows that overlap and touch are one": {fleet.Windows{
			on(berlin, "00:00", "24:00", "sat", "sun"), on(berlin, "00:00", "05:00", "mon"),
			on(berlin, "20:00", "01:00", "fri")},
			"2026-06-01T12:00Z", []string{"06-05T20:00+02 06-08T05:00+02", "06-12T20:00+02 06-15T05:00+02"}},
		"a window that ends while clocks are put forward": {fleet.Windows{on(berlin, "01:00", "02:30", "sun")},
			"2026-03-28T00:00Z", []string{"03-29T01:00+01 03-29T03:00+02", "04-05T01:00+02 04-05T02:30+02"}},
		"a window that begins while clocks are put forward": {fleet.Windows{on(berlin, "02:30", "04:00", "sun")},
			"2026-03-28T00:00Z", []string{"03-29T03:00+02 03-29T04:00+02", "04-05T02:30+02 04-05T04:00+02"}},
		"a window that is left out": {fleet.Windows{on(berlin, "02:00", "03:00", "sun")},
			"2026-03-28T00:00Z", []string{"04-05T02:00+02 04-05T03:00+02"}},
		"over clocks that are put forward": {fleet.Windows{on(berlin, "22:00", "04:00", "sat")},
			"2026-03-28T00:00Z", []string{"03-28T22:00+01 03-29T04:00+02"}},
		"a window that ends in what clocks show twice": {fleet.Windows{on(berlin, "01:00", "02:30", "sun")},
			"2026-10-24T00:00Z", []string{"10-25T01:00+02 10-25T02:30+02", "11-01T01:00+01 11-01T02:30+01"}},
		"a window that begins in what clocks show twice": {fleet.Windows{on(berlin, "02:30", "04:00", "sun")},
			"2026-10-24T00:00Z", []string{"10-25T02:30+02 10-25T04:00+01", "11-01T02:30+01 11-01T04:00+01"}},
		"a window that clocks show twice": {fleet.Windows{on(berlin, "02:15", "02:45", "sun")},
			"2026-10-24T00:00Z", []string{"10-25T02:15+02 10-25T02:45+02", "11-01T02:15+01 11-01T02:45+01"}},
		"over clocks that are put back": {fleet.Windows{on(berlin, "22:00", "04:00", "sat")},
			"2026-10-24T00:00Z", []string{"10-24T22:00+02 10-25T04:00+01"}},
		"New York, put forward": {fleet.Windows{on(newYork, "02:15", "02:45")},
			"2026-03-07T00:00-05:00", []string{"03-07T02:15-05 03-07T02:45-05", "03-09T02:15-04 03-09T02:45-04"}},
		"New York, put forward, past midnight": {fleet.Windows{on(newYork, "23:00", "02:30", "sat")},
			"2026-03-07T00:00-05:00", []string{"03-07T23:00-05 03-08T03:00-04"}},
		"New York, put back": {fleet.Windows{on(newYork, "01:30", "02:00")},
			"2026-10-31T12:00-04:00", []string{"11-01T01:30-04 11-01T02:00-05", "11-02T01:30-05 11-02T02:00-05"}},
		"New York, put back, past midnight": {fleet.Windows{on(newYork, "23:00", "01:30", "sat")},
			"2026-10-31T12:00-04:00", []string{"10-31T23:00-04 11-01T01:30-04"}},
		"clocks that are put forward at midnight": {fleet.Windows{on("America/Santiago", "00:00", "02:00")},
			"2026-09-05T12:00-04:00", []string{"09-06T01:00-03 09-06T02:00-03", "09-07T00:00-03 09-07T02:00-03"}},
		"the end of a leap year": {fleet.Windows{on(berlin, "22:00", "04:00")},
			"2040-12-30T12:00Z",
			[]string{"12-30T22:00+01 12-31T04:00+01", "12-31T22:00+01 01-01T04:00+01", "01-01T22:00+01 01-02T04:00+01"}},
		"a day that never was": {fleet.Windows{on("Pacific/Apia", "10:00", "12:00", "fri")},
			"2011-12-29T00:00-10:00", []string{"01-06T10:00+14 01-06T12:00+14"}},
	} {
		t.Run(name, func(t *testing.T) {
			require.Empty(t, c.windows.Problems("windows"))
			from := moment(t, c.from)
			got := c.windows.Openings(from, len(c.want))
			require.Equal(t, c.want, told(c.windows[0].Zone, got))
			for _, o := range got {
				require.Equal(t, from.Location(), o.Opens.Location())
				require.True(t, c.windows.Open(o.Opens))
				require.True(t, c.windows.Open(o.Closes.Add(-time.Nanosecond)))
				require.False(t, c.windows.Open(o.Closes))
			}
		})
	}
}

func TestWindowsThatAreAlwaysOpen(t *testing.T) {
	now := moment(t, "2026-06-01T12:34Z")
	for name, ws := range map[string]fleet.Windows{
		"none":                   nil,
		"all day, every day":     {on(berlin, "00:00", "24:00")},
		"two that meet":          {on(newYork, "20:00", "08:00"), on(newYork, "08:00", "20:00")},
		"one is closed for good": {on(berlin, "00:00", "24:00"), {From: "nonsense"}},
	} {
		t.Run(name, func(t *testing.T) {
			require.True(t, ws.Open(now))
			opens, ok := ws.NextOpening(now)
			require.True(t, ok)
			require.Equal(t, now, opens)
			closes, ok := ws.NextClosing(now)
			require.False(t, ok, closes)
			require.Equal(t, []fleet.Opening{{Opens: now}}, ws.Openings(now, 3))
			require.Empty(t, ws.Openings(now, 0))
		})
	}
}

func TestWindowsThatMeetButForSomeWeeks(t *testing.T) {
	// From 06:00 to 08:00 in Berlin it is 00:00 to 02:00 in New York, but not while only one of them has put its clocks.
	ws := fleet.Windows{on(berlin, "08:00", "06:00"), on(newYork, "00:00", "02:00")}
	closes, ok := ws.NextClosing(moment(t, "2025-11-15T00:00Z"))
	require.True(t, ok)
	require.Equal(t, moment(t, "2026-03-09T06:00Z"), closes)
}

func TestWindowsWithProblemsAreNeverOpen(t *testing.T) {
	now := moment(t, "2026-06-01T12:34Z")
	ws := fleet.Windows{{From: "00:00", To: "24:00", Zone: "Europe/Berlinn"}}
	require.False(t, ws.Open(now))
	_, ok := ws.NextOpening(now)
	require.False(t, ok)
	_, ok = ws.NextClosing(now)
	require.False(t, ok)
	require.Empty(t, ws.Openings(now, 3))
}

func TestTooManyWindows(t *testing.T) {
	ws := slices.Repeat(fleet.Windows{{From: "22:00", To: "04:00", Zone: berlin}}, 101)
	requireProblems(t, []string{"windows: 101 windows: want at most 100"}, ws.Problems("windows"))
	require.Empty(t, ws[:100].Problems("windows"))
}

func TestWrongWindows(t *testing.T) {
	const (
		days = `: want a day or a range of days such as "mon" or "mon-fri", of mon, tue, wed, thu, fri, sat and sun`
		hour = `want a time such as "22:00" or "04:30"`
		zone = `want a zone of the IANA database, such as "Europe/Berlin" or "UTC"`
	)
	good := fleet.Window{From: "22:00", To: "04:00", Zone: berlin}
	for name, c := range map[string]struct {
		change func(w *fleet.Window)
		want   []string
	}{
		"nothing": {func(w *fleet.Window) { *w = fleet.Window{} },
			[]string{"from: is missing; " + hour, "to: is missing; " + hour, "zone: is missing; " + zone}},
		"no day": {func(w *fleet.Window) { w.Days = []string{} },
			[]string{"days: is empty, so it never opens; leave it out for every day"}},
		"an empty day": {func(w *fleet.Window) { w.Days = []string{"mon", ""} },
			[]string{"days[1]: is missing; want a day"}},
		"no such day": {func(w *fleet.Window) { w.Days = []string{"mon", "Monday"} },
			[]string{`days[1]: "Monday"` + days}},
		"half a range": {func(w *fleet.Window) { w.Days = []string{"mon-"} }, []string{`days[0]: "mon-"` + days}},
		"no such range": {func(w *fleet.Window) { w.Days = []string{"mon-fri-sun"} },
			[]string{`days[0]: "mon-fri-sun"` + days}},
		"no such time":   {func(w *fleet.Window) { w.From = "25:00" }, []string{`from: "25:00": ` + hour}},
		"no minutes":     {func(w *fleet.Window) { w.To = "4" }, []string{`to: "4": ` + hour + `, or "24:00"`}},
		"no such minute": {func(w *fleet.Window) { w.To = "04:60" }, []string{`to: "04:60": ` + hour}},
		"past the day":   {func(w *fleet.Window) { w.To = "24:01" }, []string{`to: "24:01": ` + hour}},
		"from the end":   {func(w *fleet.Window) { w.From = "24:00" }, []string{`from: "24:00": ` + hour}},
		"no time at all": {func(w *fleet.Window) { w.To = "22:00" },
			[]string{`to: "22:00": is the same as from, so it never opens; the whole day is from "00:00" to "24:00"`}},
		"no such zone": {func(w *fleet.Window) { w.Zone = "Europe/Berlinn" },
			[]string{`zone: "Europe/Berlinn": ` + zone}},
		"the machine's": {func(w *fleet.Window) { w.Zone = "Local" }, []string{`zone: "Local": ` + zone}},
		"a way to a file": {func(w *fleet.Window) { w.Zone = "../../etc/passwd" },
			[]string{`zone: "../../etc/passwd": ` + zone}},
		"several problems": {func(w *fleet.Window) { w.From, w.Zone = "10", "CEST" },
			[]string{`from: "10": ` + hour, `zone: "CEST": ` + zone}},
	} {
		t.Run(name, func(t *testing.T) {
			w := good
			c.change(&w)
			want := slices.Clone(c.want)
			for i := range want {
				want[i] = "windows[1]." + want[i]
			}
			requireProblems(t, want, fleet.Windows{good, w}.Problems("windows"))
		})
	}
}

// weekly is a window as its definition has it, for asking minute by minute.
type weekly struct {
	on       [7]bool
	from, to int // minutes since midnight; to is after from
	zone     *time.Location
}

func (w weekly) window() fleet.Window {
	clock := func(minutes int) string { return fmt.Sprintf("%02d:%02d", minutes/60, minutes%60) }
	out := fleet.Window{From: clock(w.from), To: clock(w.to), Zone: w.zone.String()}
	if w.to > 24*60 {
		out.To = clock(w.to - 24*60)
	}
	for i, name := range []string{"sun", "mon", "tue", "wed", "thu", "fri", "sat"} {
		if w.on[i] {
			out.Days = append(out.Days, name)
		}
	}
	return out
}

// open says whether the window is open for every minute of n. What counts is the latest time that the clocks of the zone
// have shown so far.
func (w weekly) open(start time.Time, n int) []bool {
	open := make([]bool, n)
	var latest time.Time
	for i := -48 * 60; i < n; i++ {
		local := start.Add(time.Duration(i) * time.Minute).In(w.zone)
		_, offset := local.Zone()
		if shown := local.UTC().Add(time.Duration(offset) * time.Second); shown.After(latest) {
			latest = shown
		}
		if i < 0 {
			continue
		}
		minute := latest.Hour()*60 + latest.Minute()
		today, yesterday := latest.Weekday(), (latest.Weekday()+6)%7
		open[i] = w.on[today] && w.from <= minute && minute < w.to || w.on[yesterday] && minute+24*60 < w.to
	}
	return open
}

func TestWindowsAgreeWithTheClocksMinuteByMinute(t *testing.T) {
	changes := map[string][]string{ // of clocks
		"UTC":                 {"2026-06-01T00:00Z"},
		berlin:                {"2026-03-29T01:00Z", "2026-10-25T01:00Z", "2040-12-31T23:00Z"},
		newYork:               {"2026-03-08T07:00Z", "2026-11-01T06:00Z"},
		"America/Santiago":    {"2026-04-05T03:00Z", "2026-09-06T04:00Z"}, // at midnight
		"America/Havana":      {"2026-03-08T05:00Z", "2026-11-01T05:00Z"}, // from 01:00 to midnight
		"Australia/Lord_Howe": {"2026-04-04T15:00Z", "2026-10-03T15:30Z"}, // by half an hour
		"Pacific/Apia":        {"2011-12-30T10:00Z"},                      // over a whole day
		"Asia/Kathmandu":      {"2026-06-01T00:00Z"},
	}
	var zones []string
	for name := range changes {
		zones = append(zones, name)
	}
	slices.Sort(zones)
	rapid.Check(t, func(t *rapid.T) {
		var ws fleet.Windows
		const minutes = 3 * 24 * 60
		want := make([]bool, minutes)
		name := rapid.SampledFrom(zones).Draw(t, "about")
		start := moment(t, rapid.SampledFrom(changes[name]).Draw(t, "change")).
			Add(-time.Duration(rapid.IntRange(0, minutes).Draw(t, "before")) * time.Minute)
		for range rapid.IntRange(1, 3).Draw(t, "windows") {
			zone, err := time.LoadLocation(rapid.SampledFrom([]string{name, name, "UTC", berlin}).Draw(t, "zone"))
			require.NoError(t, err)
			w := weekly{zone: zone, from: rapid.IntRange(0, 24*60-1).Draw(t, "from")}
			if rapid.Bool().Draw(t, "short") {
				w.from = rapid.IntRange(0, 4*60).Draw(t, "early")
				w.to = w.from + rapid.IntRange(1, 90).Draw(t, "for")
			} else {
				w.to = w.from + rapid.IntRange(1, 24*60-1).Draw(t, "for")
			}
			w.on[rapid.IntRange(0, 6).Draw(t, "on")] = true
			for i := range w.on {
				w.on[i] = w.on[i] || rapid.Bool().Draw(t, "on")
			}
			for i, open := range w.open(start, minutes) {
				want[i] = want[i] || open
			}
			ws = append(ws, w.window())
		}
		require.Empty(t, ws.Problems("windows"))
		at := func(i int) time.Time { return start.Add(time.Duration(i) * time.Minute) }
		for i := 0; i < minutes; i += rapid.IntRange(1, 60).Draw(t, "step") {
			require.Equal(t, want[i], ws.Open(at(i)), at(i))
			opens, ok := ws.NextOpening(at(i))
			require.True(t, ok)
			first := i + slices.Index(append(want[i:minutes:minutes], true), true)
			if first == minutes {
				require.False(t, opens.Before(at(minutes)))
				continue
			}
			require.Equal(t, at(first), opens)
			last := first + slices.Index(append(want[first:minutes:minutes], false), false)
			closes, ok := ws.NextClosing(at(i))
			if last == minutes {
				require.False(t, ok && closes.Before(at(minutes)))
				continue
			}
			require.True(t, ok)
			require.Equal(t, at(last), closes)
			require.Equal(t, []fleet.Opening{{Opens: opens, Closes: closes}}, ws.Openings(at(i), 1))
		}
	})
}
