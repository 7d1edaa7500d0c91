package main

import (
	"context"
	"encoding/hex"
	"fmt"
	"net/http"
	"os"
	"strings"
	"sync"

	"github.com/open-telemetry/opamp-go/protobufs"
	"github.com/open-telemetry/opamp-go/server"
	"github.com/open-telemetry/opamp-go/server/types"
)

// What the server can do: everything, as far as an agent without certificates and packages is concerned.
const capabilities = protobufs.ServerCapabilities_ServerCapabilities_AcceptsStatus |
	protobufs.ServerCapabilities_ServerCapabilities_OffersRemoteConfig |
	protobufs.ServerCapabilities_ServerCapabilities_AcceptsEffectiveConfig |
	protobufs.ServerCapabilities_ServerCapabilities_OffersConnectionSettings

// Peer is some servers and the socket that is open to one of them.
type Peer struct {
	mu      sync.Mutex
	servers []server.OpAMPServer
	socket  types.Connection
	waiting []*protobufs.ServerToAgent
	mute    bool
}

// Listen starts a server on any port.
func (p *Peer) Listen(name string, custom []string) error {
	listener := server.New(logger{})
	err := listener.Start(server.StartSettings{
		ListenEndpoint: "127.0.0.1:0",
		Settings: server.Settings{
			CustomCapabilities: custom,
			Callbacks: types.Callbacks{OnConnecting: func(request *http.Request) types.ConnectionResponse {
				return types.ConnectionResponse{Accept: true, ConnectionCallbacks: p.callbacks(name, request)}
			}},
		},
	})
	if err != nil {
		return err
	}
	p.mu.Lock()
	p.servers = append(p.servers, listener)
	p.mu.Unlock()
	say("listening", Event{"server": name, "address": listener.Addr().String()})
	return nil
}

func (p *Peer) callbacks(name string, request *http.Request) types.ConnectionCallbacks {
	isSocket := strings.EqualFold(request.Header.Get("Upgrade"), "websocket")
	return types.ConnectionCallbacks{
		OnConnected: func(_ context.Context, connection types.Connection) {
			if isSocket {
				p.mu.Lock()
				p.socket = connection
				p.mu.Unlock()
				say("connected", Event{"server": name})
			}
		},
		OnMessage: func(
			_ context.Context, _ types.Connection, message *protobufs.AgentToServer,
		) *protobufs.ServerToAgent {
			say("message", facts(name, message))
			return p.answer(message)
		},
		OnConnectionClose: func(connection types.Connection) {
			p.mu.Lock()
			defer p.mu.Unlock()
			if isSocket && p.socket == connection {
				p.socket = nil
				say("closed", Event{"server": name})
			}
		},
		OnReadMessageError: func(_ types.Connection, _ int, _ []byte, err error) {
			say("read-error", Event{"error": err.Error()})
		},
	}
}

func (p *Peer) answer(message *protobufs.AgentToServer) *protobufs.ServerToAgent {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.mute {
		return nil
	}
	answer := &protobufs.ServerToAgent{}
	if len(p.waiting) > 0 {
		answer, p.waiting = p.waiting[0], p.waiting[1:]
	}
	answer.InstanceUid = message.InstanceUid
	answer.Capabilities = uint64(capabilities)
	return answer
}

// Offer sends something.
func (p *Peer) Offer(order Order) error {
	message, err := offer(order)
	if err != nil {
		return err
	}
	p.mu.Lock()
	socket := p.socket
	if socket == nil {
		p.waiting = append(p.waiting, message)
	}
	p.mu.Unlock()
	if socket == nil {
		return nil
	}
	message.Capabilities = uint64(capabilities)
	return socket.Send(context.Background(), message)
}

func offer(order Order) (*protobufs.ServerToAgent, error) {
	message := &protobufs.ServerToAgent{}
	switch {
	case order.Config != nil:
		files := map[string]*protobufs.AgentConfigFile{}
		for name, body := range order.Config {
			files[name] = &protobufs.AgentConfigFile{Body: []byte(body)}
		}
		message.RemoteConfig = &protobufs.AgentRemoteConfig{
			Config:     &protobufs.AgentConfigMap{ConfigMap: files},
			ConfigHash: []byte(order.Hash),
		}
	case order.Restart:
		message.Command = &protobufs.ServerToAgentCommand{
			Type: protobufs.CommandType_CommandType_Restart,
		}
	case order.FullState:
		message.Flags = uint64(protobufs.ServerToAgentFlags_ServerToAgentFlags_ReportFullState)
	case order.Capability != "":
		message.CustomMessage = &protobufs.CustomMessage{
			Capability: order.Capability, Type: order.Type, Data: []byte(order.Data),
		}
	case order.Endpoint != "":
		message.ConnectionSettings = &protobufs.ConnectionSettingsOffers{
			Hash:  []byte(order.Hash),
			Opamp: &protobufs.OpAMPConnectionSettings{DestinationEndpoint: order.Endpoint},
		}
	default:
		return nil, fmt.Errorf("nothing is offered")
	}
	return message, nil
}

// Mute makes it answer nothing at all, or answer again.
func (p *Peer) Mute(on bool) {
	p.mu.Lock()
	p.mute = on
	p.mu.Unlock()
	say("muted", Event{"on": on})
}

// Disconnect closes the socket as this library does: without a Close frame.
func (p *Peer) Disconnect() error {
	p.mu.Lock()
	socket := p.socket
	p.mu.Unlock()
	if socket == nil {
		return fmt.Errorf("no socket is open")
	}
	return socket.Disconnect()
}

func facts(name string, message *protobufs.AgentToServer) Event {
	event := Event{
		"server": name, "uid": hex.EncodeToString(message.InstanceUid), "seq": message.SequenceNum,
		"capabilities": message.Capabilities, "described": message.AgentDescription != nil,
		"farewell": message.AgentDisconnect != nil,
	}
	if health := message.Health; health != nil {
		event["healthy"], event["started"] = health.Healthy, health.StartTimeUnixNano
	}
	if effective := message.EffectiveConfig; effective != nil && effective.ConfigMap != nil {
		files := map[string]string{}
		for name, file := range effective.ConfigMap.ConfigMap {
			files[name] = string(file.Body)
		}
		event["files"] = files
	}
	if status := message.RemoteConfigStatus; status != nil {
		event["status"] = Event{
			"hash": string(status.LastRemoteConfigHash), "state": status.Status.String(), "error": status.ErrorMessage,
		}
	}
	if status := message.ConnectionSettingsStatus; status != nil {
		event["settings"] = Event{
			"hash": string(status.LastConnectionSettingsHash), "state": status.Status.String(), "error": status.ErrorMessage,
		}
	}
	if custom := message.CustomMessage; custom != nil {
		event["custom"] = Event{"capability": custom.Capability, "type": custom.Type, "data": string(custom.Data)}
	}
	if custom := message.CustomCapabilities; custom != nil {
		event["custom_capabilities"] = custom.Capabilities
	}
	return event
}

type logger struct{}

func (logger) Debugf(_ context.Context, format string, values ...any) { logf("debug: "+format, values) }
func (logger) Errorf(_ context.Context, format string, values ...any) { logf("error: "+format, values) }

func logf(format string, values []any) { fmt.Fprintf(os.Stderr, format+"\n", values...) }
