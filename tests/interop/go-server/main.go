// Command peer is a server on the public opamp-go server package, for the tests in crates/testkit/tests/interop that
// drive the supervisor with it. It reads orders from stdin and writes events to stdout, both one JSON object a line; what
// it logs goes to stderr.
//
// Orders are `listen`, `offer`, `mute`, `disconnect`. An offer goes out at once where a socket is open, and with the next
// answer otherwise; like everything that this library sends unasked, it names no instance_uid.
package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
	"sync"
)

// Order is one line of stdin.
type Order struct {
	Do string `json:"do"`

	// Of `listen`.
	Name         string   `json:"name"`
	Capabilities []string `json:"capabilities"`

	// Of `offer`: one of these.
	Config     map[string]string `json:"config"`
	Hash       string            `json:"hash"`
	Restart    bool              `json:"restart"`
	FullState  bool              `json:"full_state"`
	Capability string            `json:"capability"`
	Type       string            `json:"type"`
	Data       string            `json:"data"`
	Endpoint   string            `json:"endpoint"`

	// Of `mute`.
	On bool `json:"on"`
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
	peer := &Peer{}
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
	case "listen":
		return peer.Listen(order.Name, order.Capabilities)
	case "offer":
		return peer.Offer(order)
	case "mute":
		peer.Mute(order.On)
		return nil
	case "disconnect":
		return peer.Disconnect()
	default:
		return fmt.Errorf("no such order")
	}
}
