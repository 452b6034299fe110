package main

import (
	"bytes"
	"context"
	"fmt"

	"github.com/gorilla/websocket"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/metadata"
	"google.golang.org/protobuf/encoding/protowire"
)

// Fields of the contract's Message.
const userField, timestampField, dataField = 1, 2, 3

func encoded(timestamp uint64, data []byte) []byte {
	message := make([]byte, 0, len(data)+16)
	message = protowire.AppendTag(message, timestampField, protowire.VarintType)
	message = protowire.AppendVarint(message, timestamp)
	message = protowire.AppendTag(message, dataField, protowire.BytesType)
	return protowire.AppendBytes(message, data)
}

// Sender and time stamp.
func decoded(message []byte) (uint32, uint64) {
	var user uint32
	var timestamp uint64
	for len(message) > 0 {
		field, kind, size := protowire.ConsumeTag(message)
		if size < 0 {
			return user, timestamp
		}
		message = message[size:]
		if kind == protowire.VarintType {
			value, size := protowire.ConsumeVarint(message)
			if size < 0 {
				return user, timestamp
			}
			if field == userField {
				user = uint32(value)
			} else if field == timestampField {
				timestamp = value
			}
			message = message[size:]
			continue
		}
		size = protowire.ConsumeFieldValue(field, kind, message)
		if size < 0 {
			return user, timestamp
		}
		message = message[size:]
	}
	return user, timestamp
}

// Bytes as they are: what is measured is the server.
type plain struct{}

func (plain) Name() string                       { return "proto" }
func (plain) Marshal(v any) ([]byte, error)      { return *v.(*[]byte), nil }
func (plain) Unmarshal(data []byte, v any) error { *v.(*[]byte) = bytes.Clone(data); return nil }

type rpc struct {
	connection *grpc.ClientConn
	stream     grpc.ClientStream
	cancel     context.CancelFunc
}

func overRPC(member Member) (Conversation, error) {
	connection, err := grpc.NewClient(member.Address, grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithCancel(context.Background())
	ctx = metadata.AppendToOutgoingContext(ctx, "channel-token", member.Token)
	description := &grpc.StreamDesc{ServerStreams: true, ClientStreams: true}
	stream, err := connection.NewStream(ctx, description, "/ChatService/Connect", grpc.ForceCodec(plain{}))
	if err != nil {
		cancel()
		return nil, err
	}
	if _, err := stream.Header(); err != nil {
		cancel()
		return nil, err
	}
	return &rpc{connection, stream, cancel}, nil
}

func (one *rpc) Send(message []byte) error { return one.stream.SendMsg(&message) }

func (one *rpc) Receive() ([]byte, error) {
	var message []byte
	err := one.stream.RecvMsg(&message)
	return message, err
}

func (one *rpc) Close() {
	one.cancel()
	one.connection.Close()
}

type socket struct{ connection *websocket.Conn }

func overSocket(member Member) (Conversation, error) {
	connection, _, err := websocket.DefaultDialer.Dial(member.URL, nil)
	if err != nil {
		return nil, err
	}
	if err := connection.WriteMessage(websocket.TextMessage, []byte(member.Token)); err != nil {
		return nil, err
	}
	kind, _, err := connection.ReadMessage()
	if err != nil {
		return nil, err
	}
	if kind != websocket.TextMessage {
		return nil, fmt.Errorf("expected a text that says that the member is in, got a message of type %d", kind)
	}
	return &socket{connection}, nil
}

func (one *socket) Send(message []byte) error {
	return one.connection.WriteMessage(websocket.BinaryMessage, message)
}

func (one *socket) Receive() ([]byte, error) {
	_, message, err := one.connection.ReadMessage()
	return message, err
}

func (one *socket) Close() { one.connection.Close() }
