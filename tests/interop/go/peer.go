package main

import (
	"context"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/hex"
	"fmt"
	"net/http"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/open-telemetry/opamp-go/client"
	"github.com/open-telemetry/opamp-go/client/types"
	"github.com/open-telemetry/opamp-go/protobufs"
)

// What the agent can do unless an order leaves some of it out.
const capabilities = protobufs.AgentCapabilities_AgentCapabilities_ReportsStatus |
	protobufs.AgentCapabilities_AgentCapabilities_AcceptsRemoteConfig |
	protobufs.AgentCapabilities_AgentCapabilities_ReportsEffectiveConfig |
	protobufs.AgentCapabilities_AgentCapabilities_ReportsRemoteConfig |
	protobufs.AgentCapabilities_AgentCapabilities_AcceptsOpAMPConnectionSettings |
	protobufs.AgentCapabilities_AgentCapabilities_ReportsConnectionSettingsStatus |
	protobufs.AgentCapabilities_AgentCapabilities_AcceptsRestartCommand |
	protobufs.AgentCapabilities_AgentCapabilities_ReportsHealth |
	protobufs.AgentCapabilities_AgentCapabilities_ReportsHeartbeat |
	protobufs.AgentCapabilities_AgentCapabilities_ReportsAvailableComponents

const (
	chatOps = "org.mp3monster.opamp_provider.chatopcommand"
	null    = "org.mp3monster.opamp_provider.nullcommand"
)

// A config that takes a moment to apply is seen as APPLYING.
const applyTime = 200 * time.Millisecond

// Peer is the agent: what it knows outlives its clients.
type Peer struct {
	client client.OpAMPClient
	uid    types.InstanceUid

	mu        sync.Mutex
	started   time.Time
	effective map[string]*protobufs.AgentConfigFile
	status    *protobufs.RemoteConfigStatus
}

// NewPeer makes an agent with an own config and a fresh uid.
func NewPeer() *Peer {
	peer := &Peer{started: time.Now(), effective: map[string]*protobufs.AgentConfigFile{
		"own.yaml": {Body: []byte("own: true\n"), ContentType: "text/yaml"},
	}}
	_, _ = rand.Read(peer.uid[:])
	// A UUID of version 7, as the specification recommends.
	peer.uid[6] = peer.uid[6]&0x0f | 0x70
	peer.uid[8] = peer.uid[8]&0x3f | 0x80
	return peer
}

// Start makes a client and starts it.
func (p *Peer) Start(order Order) error {
	if strings.HasPrefix(order.Endpoint, "ws") {
		p.client = client.NewWebSocket(logger{})
	} else {
		p.client = client.NewHTTP(logger{})
	}
	if err := p.describe(order); err != nil {
		return err
	}
	settings, err := p.settings(order)
	if err != nil {
		return err
	}
	say("starting", Event{"uid": hex.EncodeToString(p.uid[:])})
	return p.client.Start(context.Background(), settings)
}

func (p *Peer) describe(order Order) error {
	err := p.client.SetAgentDescription(&protobufs.AgentDescription{
		IdentifyingAttributes:    attributes("service.name", "opamp-go", "service.version", "0.23.0"),
		NonIdentifyingAttributes: attributes("host.name", order.Name, "os.type", "linux"),
	})
	if err != nil {
		return err
	}
	offered := capabilities
	for _, name := range order.Without {
		bit, known := protobufs.AgentCapabilities_value["AgentCapabilities_"+name]
		if !known {
			return fmt.Errorf("no capability is called %q", name)
		}
		offered &^= protobufs.AgentCapabilities(bit)
	}
	if err := p.Health(true, ""); err != nil {
		return err
	}
	if err := p.Components("1"); err != nil {
		return err
	}
	names := []string{chatOps, null, "com.example.echo"}
	if err := p.client.SetCustomCapabilities(&protobufs.CustomCapabilities{Capabilities: names}); err != nil {
		return err
	}
	if order.RequestUID {
		p.client.SetFlags(protobufs.AgentToServerFlags_AgentToServerFlags_RequestInstanceUid)
	}
	return p.client.SetCapabilities(&offered)
}

func (p *Peer) settings(order Order) (types.StartSettings, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	heartbeat := time.Duration(order.HeartbeatMs) * time.Millisecond
	settings := types.StartSettings{
		OpAMPServerURL:     order.Endpoint,
		InstanceUid:        p.uid,
		Callbacks:          p.callbacks(),
		EnableCompression:  order.Compress,
		HeartbeatInterval:  &heartbeat,
		RemoteConfigStatus: p.status,
	}
	if order.Token != "" {
		settings.Header = http.Header{"Authorization": {"Bearer " + order.Token}}
	}
	if order.CA != "" {
		pem, err := os.ReadFile(order.CA)
		if err != nil {
			return settings, err
		}
		roots := x509.NewCertPool()
		if !roots.AppendCertsFromPEM(pem) {
			return settings, fmt.Errorf("no certificate in %s", order.CA)
		}
		settings.TLSConfig = &tls.Config{RootCAs: roots}
	}
	return settings, nil
}

// Health reports how the agent fares.
func (p *Peer) Health(healthy bool, lastError string) error {
	p.mu.Lock()
	started := p.started
	p.mu.Unlock()
	return p.client.SetHealth(&protobufs.ComponentHealth{
		Healthy:            healthy,
		StartTimeUnixNano:  uint64(started.UnixNano()),
		LastError:          lastError,
		Status:             "running",
		StatusTimeUnixNano: uint64(time.Now().UnixNano()),
	})
}

// Components reports what the agent could be configured with.
func (p *Peer) Components(version string) error {
	return p.client.SetAvailableComponents(&protobufs.AvailableComponents{
		Hash: []byte("components-" + version),
		Components: map[string]*protobufs.ComponentDetails{
			"inputs": {SubComponentMap: map[string]*protobufs.ComponentDetails{
				"tail": {Metadata: attributes("version", version)},
			}},
		},
	})
}

// Send sends a custom message and waits until it has left.
func (p *Peer) Send(capability, kind string, data []byte) error {
	message := &protobufs.CustomMessage{Capability: capability, Type: kind, Data: data}
	for {
		sent, err := p.client.SendCustomMessage(message)
		if err == types.ErrCustomMessagePending {
			<-sent
			continue
		}
		return err
	}
}

// Stop ends the client.
func (p *Peer) Stop(ctx context.Context) error {
	err := p.client.Stop(ctx)
	say("stopped", nil)
	return err
}

func attributes(pairs ...string) []*protobufs.KeyValue {
	var found []*protobufs.KeyValue
	for i := 0; i+1 < len(pairs); i += 2 {
		value := &protobufs.AnyValue{Value: &protobufs.AnyValue_StringValue{StringValue: pairs[i+1]}}
		found = append(found, &protobufs.KeyValue{Key: pairs[i], Value: value})
	}
	return found
}

type logger struct{}

func (logger) Debugf(_ context.Context, format string, values ...any) { logf("debug: "+format, values) }
func (logger) Errorf(_ context.Context, format string, values ...any) { logf("error: "+format, values) }

func logf(format string, values []any) { fmt.Fprintf(os.Stderr, format+"\n", values...) }
