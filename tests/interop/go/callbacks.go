package main

import (
	"bytes"
	"context"
	"encoding/hex"
	"encoding/json"
	"time"

	"github.com/open-telemetry/opamp-go/client/types"
	"github.com/open-telemetry/opamp-go/protobufs"
)

// A config with this text in it cannot be applied.
var refused = []byte("refuse me")

func (p *Peer) callbacks() types.Callbacks {
	return types.Callbacks{
		OnConnect:       func(context.Context) { say("connected", nil) },
		OnConnectFailed: func(_ context.Context, err error) { say("connect-failed", Event{"error": err.Error()}) },
		OnError: func(_ context.Context, err *protobufs.ServerErrorResponse) {
			say("error", Event{"type": err.Type.String(), "error": err.ErrorMessage})
		},
		OnMessage:          p.onMessage,
		OnCommand:          p.onCommand,
		GetEffectiveConfig: p.effectiveConfig,
		OnOpampConnectionSettings: func(_ context.Context, offer *protobufs.OpAMPConnectionSettings) error {
			say("settings", Event{
				"endpoint": offer.DestinationEndpoint, "heartbeat_s": offer.HeartbeatIntervalSeconds,
			})
			return nil
		},
	}
}

func (p *Peer) onMessage(_ context.Context, message *types.MessageData) {
	if identification := message.AgentIdentification; identification != nil {
		// The client takes the new uid by itself; a later client starts with it.
		if copy(p.uid[:], identification.NewInstanceUid) == len(p.uid) {
			say("uid", Event{"uid": hex.EncodeToString(p.uid[:])})
		}
	}
	if custom := message.CustomCapabilities; custom != nil {
		say("capabilities", Event{"names": custom.Capabilities})
	}
	if config := message.RemoteConfig; config != nil {
		say("config", Event{"hash": hex.EncodeToString(config.ConfigHash)})
		// Not here: the client reads nothing while this runs.
		go p.apply(config)
	}
	if custom := message.CustomMessage; custom != nil {
		say("custom", Event{
			"capability": custom.Capability, "type": custom.Type, "data": string(custom.Data),
		})
		go p.answer(custom)
	}
}

// onCommand restarts: a new start time.
func (p *Peer) onCommand(_ context.Context, command *protobufs.ServerToAgentCommand) error {
	say("command", Event{"type": command.Type.String()})
	p.mu.Lock()
	p.started = time.Now()
	p.mu.Unlock()
	return p.Health(true, "")
}

func (p *Peer) apply(config *protobufs.AgentRemoteConfig) {
	p.report(config, protobufs.RemoteConfigStatuses_RemoteConfigStatuses_APPLYING, "")
	time.Sleep(applyTime)
	for _, file := range config.Config.ConfigMap {
		if bytes.Contains(file.Body, refused) {
			p.report(config, protobufs.RemoteConfigStatuses_RemoteConfigStatuses_FAILED, "it asks to be refused")
			return
		}
	}
	p.mu.Lock()
	p.effective = config.Config.ConfigMap
	p.mu.Unlock()
	if err := p.client.UpdateEffectiveConfig(context.Background()); err != nil {
		fail(err)
	}
	p.report(config, protobufs.RemoteConfigStatuses_RemoteConfigStatuses_APPLIED, "")
}

func (p *Peer) report(
	config *protobufs.AgentRemoteConfig, status protobufs.RemoteConfigStatuses, problem string,
) {
	reported := &protobufs.RemoteConfigStatus{
		LastRemoteConfigHash: config.ConfigHash, Status: status, ErrorMessage: problem,
	}
	p.mu.Lock()
	p.status = reported
	p.mu.Unlock()
	if err := p.client.SetRemoteConfigStatus(reported); err != nil {
		fail(err)
	}
}

func (p *Peer) effectiveConfig(context.Context) (*protobufs.EffectiveConfig, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return &protobufs.EffectiveConfig{ConfigMap: &protobufs.AgentConfigMap{ConfigMap: p.effective}}, nil
}

// answer answers a ChatOps request under its id; other messages get none.
func (p *Peer) answer(message *protobufs.CustomMessage) {
	if message.Capability != chatOps {
		return
	}
	var request struct {
		ID  string `json:"id"`
		Tag string `json:"tag"`
	}
	if err := json.Unmarshal(message.Data, &request); err != nil {
		fail(err)
	}
	answer, _ := json.Marshal(map[string]any{"id": request.ID, "http_code": "201", "body": request.Tag})
	if err := p.Send(chatOps, "result", answer); err != nil {
		fail(err)
	}
}
