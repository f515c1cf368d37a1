// times, durations, enumerations from the library
package main

import (
	"fmt"
	"time"
)

type event struct {
	when  time.Time
	title string
}

type agenda []event

func (a agenda) on(d time.Weekday) (out []string) {
	for _, e := range a {
		if e.when.Weekday() == d {
			out = append(out, e.title)
		}
	}
	return out
}

const layout = "2006-01-02 15:04"

func at(s string) time.Time {
	t, err := time.Parse(layout, s)
	if err != nil {
		panic(err)
	}
	return t
}

func main() {
	a := agenda{{at("2026-11-23 09:30"), "standup"}, {at("2026-11-24 10:00"), "review"}}
	fmt.Println(a.on(time.Monday), a.on(time.Sunday), a[1].when.Sub(a[0].when))
	d := 90 * time.Minute
	fmt.Println(d, d.Hours(), time.Duration(1.5*float64(time.Second)), a[0].when.Add(d).Format(time.Kitchen))
	a[0].when = a[0].when.AddDate(0, 0, -1)
	fmt.Println(a[0].when.Weekday(), a[0].when.Before(a[1].when), a[0].when.YearDay(), time.March)
	_, err := time.Parse(layout, "soon")
	fmt.Println(err)
	fmt.Println(a)
}
