// Drives the unmodified Go SDK: commands as JSON lines on stdin, what happens as JSON lines on stdout.
package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"os"
	"sync"
	"time"

	"github.com/centrifugal/centrifuge-go"
)

type object = map[string]any

type options struct {
	URL      string          `json:"url"`
	Token    string          `json:"token"`
	Data     json.RawMessage `json:"data"`
	Renewals []string        `json:"renewals"`
	Protobuf bool            `json:"protobuf"`
	// A channel to subscribe to, and the places of the app's state.
	Subscribe string                      `json:"subscribe"`
	States    []centrifuge.StreamPosition `json:"states"`
}

type command struct {
	Do      string          `json:"do"`
	ID      int             `json:"id"`
	Method  string          `json:"method"`
	Channel string          `json:"channel"`
	Data    json.RawMessage `json:"data"`
}

var lock sync.Mutex

func say(event object) {
	lock.Lock()
	defer lock.Unlock()
	if err := json.NewEncoder(os.Stdout).Encode(event); err != nil {
		panic(err)
	}
}

func newClient(asked options) *centrifuge.Client {
	config := centrifuge.Config{
		Token:             asked.Token,
		Data:              asked.Data,
		MinReconnectDelay: 50 * time.Millisecond,
		MaxReconnectDelay: 300 * time.Millisecond,
		HandshakeTimeout:  10 * time.Second,
		ReadTimeout:       10 * time.Second,
	}
	if renewals := asked.Renewals; len(renewals) > 0 {
		// Each token once, the last one from then on.
		config.GetToken = func(centrifuge.ConnectionTokenEvent) (string, error) {
			say(object{"e": "asked"})
			renewal := renewals[0]
			if len(renewals) > 1 {
				renewals = renewals[1:]
			}
			return renewal, nil
		}
	}
	if asked.Protobuf {
		return centrifuge.NewProtobufClient(asked.URL, config)
	}
	return centrifuge.NewJsonClient(asked.URL, config)
}

func listen(client *centrifuge.Client) {
	client.OnConnecting(func(e centrifuge.ConnectingEvent) { say(object{"e": "connecting", "code": e.Code}) })
	client.OnConnected(func(e centrifuge.ConnectedEvent) {
		say(object{"e": "connected", "data": json.RawMessage(e.Data)})
	})
	client.OnDisconnected(func(e centrifuge.DisconnectedEvent) {
		say(object{"e": "disconnected", "code": e.Code, "reason": e.Reason})
	})
	client.OnError(func(e centrifuge.ErrorEvent) { say(object{"e": "error", "error": e.Error.Error()}) })
	client.OnSubscribed(func(e centrifuge.ServerSubscribedEvent) {
		place := object{"e": "subscribed", "recovering": e.WasRecovering, "recovered": e.Recovered}
		if e.StreamPosition != nil {
			place["offset"], place["epoch"] = e.StreamPosition.Offset, e.StreamPosition.Epoch
		}
		say(place)
	})
	client.OnPublication(func(e centrifuge.ServerPublicationEvent) {
		say(object{"e": "pub", "data": json.RawMessage(e.Data), "offset": e.Offset})
	})
}

func subscribe(client *centrifuge.Client, asked options) {
	config := centrifuge.SubscriptionConfig{MinResubscribeDelay: 50 * time.Millisecond}
	if states := asked.States; len(states) > 0 {
		// Each once, the last one from then on.
		config.GetState = func(centrifuge.SubscriptionGetStateEvent) (centrifuge.StreamPosition, error) {
			say(object{"e": "state"})
			state := states[0]
			if len(states) > 1 {
				states = states[1:]
			}
			return state, nil
		}
	}
	subscription, err := client.NewSubscription(asked.Subscribe, config)
	if err != nil {
		panic(err)
	}
	subscription.OnSubscribed(func(e centrifuge.SubscribedEvent) {
		say(object{"e": "subscribed", "recovering": e.WasRecovering, "recovered": e.Recovered})
	})
	subscription.OnPublication(func(e centrifuge.PublicationEvent) {
		say(object{"e": "pub", "data": json.RawMessage(e.Data), "offset": e.Offset})
	})
	if err := subscription.Subscribe(); err != nil {
		panic(err)
	}
}

func read(ctx context.Context, client *centrifuge.Client, channel string) (any, error) {
	presence, err := client.Presence(ctx, channel)
	if err != nil {
		return nil, err
	}
	stats, err := client.PresenceStats(ctx, channel)
	if err != nil {
		return nil, err
	}
	found, err := client.History(ctx, channel, centrifuge.WithHistoryLimit(10))
	if err != nil {
		return nil, err
	}
	texts := []string{}
	for _, publication := range found.Publications {
		var delta struct{ Data struct{ Text string } }
		if err := json.Unmarshal(publication.Data, &delta); err != nil {
			return nil, err
		}
		texts = append(texts, delta.Data.Text)
	}
	return object{
		"clients": len(presence.Clients), "numClients": stats.NumClients, "numUsers": stats.NumUsers, "history": texts,
	}, nil
}

func perform(client *centrifuge.Client, asked command) {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	var result any
	var err error
	switch asked.Do {
	case "rpc":
		var answer centrifuge.RPCResult
		answer, err = client.RPC(ctx, asked.Method, asked.Data)
		result = json.RawMessage(answer.Data)
	case "read":
		result, err = read(ctx, client, asked.Channel)
	case "send":
		err = client.Send(ctx, asked.Data)
	case "connect":
		err = client.Connect()
	}
	var refused *centrifuge.Error
	switch {
	case errors.As(err, &refused):
		say(object{"e": "rpc", "id": asked.ID, "error": object{"code": refused.Code, "message": refused.Message}})
	case err != nil:
		say(object{"e": "rpc", "id": asked.ID, "error": object{"code": 0, "message": err.Error()}})
	default:
		say(object{"e": "rpc", "id": asked.ID, "data": result})
	}
}

func main() {
	var asked options
	if err := json.Unmarshal([]byte(os.Args[1]), &asked); err != nil {
		panic(err)
	}
	client := newClient(asked)
	listen(client)
	if asked.Subscribe != "" {
		subscribe(client, asked)
	}
	if err := client.Connect(); err != nil {
		panic(err)
	}
	lines := bufio.NewScanner(os.Stdin)
	lines.Buffer(nil, 1<<24)
	for lines.Scan() {
		var next command
		if err := json.Unmarshal(lines.Bytes(), &next); err != nil {
			panic(err)
		}
		if next.Do == "stop" {
			break
		}
		go perform(client, next)
	}
	client.Close()
}
