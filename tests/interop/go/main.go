// Command peer is an agent on the public opamp-go client, for the tests in crates/testkit/tests/interop. It reads
// orders from stdin and writes events to stdout, both one JSON object a line; what it logs goes to stderr.
//
// Orders are `start`, `health`, `components`, `send`, `stop`. After `stop`, `start` makes a new client that knows
// what the old one knew, as an agent that was restarted does.
package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"sync"
	"time"
)

// Order is one line of stdin.
type Order struct {
	Do string `json:"do"`

	// Of `start`.
	Endpoint    string   `json:"endpoint"`
	Name        string   `json:"name"`
	UID         string   `json:"uid"`
	HeartbeatMs int64    `json:"heartbeat_ms"`
	Compress    bool     `json:"compress"`
	Without     []string `json:"without"`
	RequestUID  bool     `json:"request_uid"`
	CA          string   `json:"ca"`
	Token       string   `json:"token"`

	// Of `health`.
	Healthy bool   `json:"healthy"`
	Error   string `json:"error"`

	// Of `send`.
	Capability string `json:"capability"`
	Type       string `json:"type"`
	Data       string `json:"data"`

	// Of `components`.
	Version string `json:"version"`
}

// Event is one line of stdout.
type Event map[string]any

var out sync.Mutex

// say writes an event.
func say(event string, facts Event) {
	if facts == nil {
		facts = Event{}
	}
	facts["event"] = event
	line, err := json.Marshal(facts)
	if err != nil {
		fail(err)
	}
	out.Lock()
	defer out.Unlock()
	fmt.Println(string(line))
}

func fail(err error) {
	fmt.Fprintln(os.Stderr, "peer:", err)
	os.Exit(1)
}

func main() {
	peer := NewPeer()
	lines := bufio.NewScanner(os.Stdin)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		var order Order
		if err := json.Unmarshal(lines.Bytes(), &order); err != nil {
			fail(err)
		}
		if err := obey(peer, order); err != nil {
			fail(fmt.Errorf("%s: %w", order.Do, err))
		}
	}
}

func obey(peer *Peer, order Order) error {
	switch order.Do {
	case "start":
		return peer.Start(order)
	case "health":
		return peer.Health(order.Healthy, order.Error)
	case "components":
		return peer.Components(order.Version)
	case "send":
		return peer.Send(order.Capability, order.Type, []byte(order.Data))
	case "stop":
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		return peer.Stop(ctx)
	default:
		return fmt.Errorf("no such order")
	}
}
