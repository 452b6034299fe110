// Members of live channels who talk: each sends frames at a steady rate and counts what it receives.
//
// Standard input: a Plan as a line of JSON. Prints "ready" when all are connected, waits for a further line, talks, and
// prints a Result as JSON. Frames carry the time at which they were to be sent, so a stalled server shows in all that it
// delayed; those of the warm-up are sent and not counted.
package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
	"sync"
	"time"
)

// Member is how one connects.
type Member struct {
	Address string `json:"address"` // host:port of gRPC
	URL     string `json:"url"`     // of the WebSocket; "" for gRPC
	Token   string `json:"token"`
}

// Plan is what is to happen.
type Plan struct {
	Members []Member `json:"members"`
	Rate    float64  `json:"rate"`  // frames a second of each
	Bytes   int      `json:"bytes"` // of the data of a frame
	Warm    float64  `json:"warm"`  // seconds before what counts
	Seconds float64  `json:"seconds"`
	Settle  float64  `json:"settle"` // seconds at most for the last frames to arrive
	Copies  int      `json:"copies"` // receivers of a frame
}

// Result is what was counted.
type Result struct {
	Sent     int64         `json:"sent"`
	Received int64         `json:"received"`
	Total    int64         `json:"total"`    // received, those of the warm-up too
	Disorder int64         `json:"disorder"` // frames that came after a later one of their sender
	Errors   []string      `json:"errors"`
	Micros   map[int]int64 `json:"micros"` // deliveries by microseconds from the intended sending
}

// Conversation is one member's connection. Receive returns an error when it has ended.
type Conversation interface {
	Send(message []byte) error
	Receive() ([]byte, error)
	Close()
}

type tally struct {
	received, total, disorder int64
	micros                    map[int]int64
	latest                    map[uint32]uint64
}

func main() {
	input := bufio.NewReader(os.Stdin)
	line, err := input.ReadBytes('\n')
	check(err)
	var plan Plan
	check(json.Unmarshal(line, &plan))
	connections := make([]Conversation, len(plan.Members))
	for number, member := range plan.Members {
		if member.URL != "" {
			connections[number], err = overSocket(member)
		} else {
			connections[number], err = overRPC(member)
		}
		check(err)
	}
	fmt.Println("ready")
	_, err = input.ReadBytes('\n')
	check(err)
	check(json.NewEncoder(os.Stdout).Encode(talk(plan, connections)))
}

func talk(plan Plan, connections []Conversation) Result {
	// Monotonic, and the same for all: frames carry nanoseconds from here on.
	start := time.Now()
	counts := time.Duration(plan.Warm * float64(time.Second))
	end := counts + time.Duration(plan.Seconds*float64(time.Second))
	tallies := make([]tally, len(connections))
	sent := make([]int64, len(connections))
	problems := make(chan string, 2*len(connections))
	var talking, hearing sync.WaitGroup
	for number, one := range connections {
		hearing.Add(1)
		go func() {
			defer hearing.Done()
			tallies[number] = hear(one, start, counts)
		}()
		talking.Add(1)
		go func() {
			defer talking.Done()
			phase := time.Duration(float64(time.Second) / plan.Rate * float64(number) / float64(len(connections)))
			count, err := say(one, plan, start, counts, end, phase)
			sent[number] = count
			if err != nil {
				problems <- err.Error()
			}
		}()
	}
	talking.Wait()
	time.Sleep(time.Duration(plan.Settle * float64(time.Second)))
	for _, one := range connections {
		one.Close()
	}
	hearing.Wait()
	close(problems)
	result := Result{Micros: map[int]int64{}, Errors: []string{}}
	for problem := range problems {
		result.Errors = append(result.Errors, problem)
	}
	for number, one := range tallies {
		result.Sent += sent[number]
		result.Received += one.received
		result.Total += one.total
		result.Disorder += one.disorder
		for micros, count := range one.micros {
			result.Micros[micros] += count
		}
	}
	return result
}

// Sends at the intended times, however late; counts what was to be sent after the warm-up.
func say(one Conversation, plan Plan, start time.Time, counts, end, phase time.Duration) (int64, error) {
	data := make([]byte, plan.Bytes)
	step := time.Duration(float64(time.Second) / plan.Rate)
	count := int64(0)
	for at := phase; at < end; at += step {
		if wait := at - time.Since(start); wait > 0 {
			time.Sleep(wait)
		}
		if err := one.Send(encoded(uint64(at)+1, data)); err != nil {
			return count, err
		}
		if at >= counts {
			count++
		}
	}
	return count, nil
}

func hear(one Conversation, start time.Time, counts time.Duration) tally {
	found := tally{micros: map[int]int64{}, latest: map[uint32]uint64{}}
	for {
		message, err := one.Receive()
		if err != nil {
			return found
		}
		now := time.Since(start)
		sender, stamp := decoded(message)
		if stamp < found.latest[sender] {
			found.disorder++
		}
		found.latest[sender] = stamp
		found.total++
		intended := time.Duration(stamp - 1)
		if intended >= counts {
			found.received++
			found.micros[rounded(int((now-intended)/time.Microsecond))]++
		}
	}
}

// To three digits, so that there are few different ones.
func rounded(micros int) int {
	unit := 1
	for micros/unit >= 1000 {
		unit *= 10
	}
	return micros / unit * unit
}

func check(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
