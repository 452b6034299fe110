// A client of S1 in Go, with the code that protoc-gen-go makes of S1's own text: two people register, talk in a channel,
// one is cut off, and the channel ends. Argument: JSON with `address` and `prefix`. Prints what happened, a line a step.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	"example.org/klatsch/s1/seed"
)

type person struct{ id, token string }

// The call's context with the person's token.
func (p person) context() context.Context {
	return metadata.AppendToOutgoingContext(context.Background(), "authorization", "Bearer "+p.token)
}

type member struct {
	stream   seed.ChatService_ConnectClient
	received chan *seed.Message
	ended    chan string
}

func check(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func open(address string) *grpc.ClientConn {
	connection, err := grpc.NewClient(address, grpc.WithTransportCredentials(insecure.NewCredentials()))
	check(err)
	return connection
}

func register(users seed.UserServiceClient, id, name string) person {
	const password = "correct horse battery"
	_, err := users.Register(context.Background(), &seed.RegisterRequest{UserId: id, Password: password, Name: name})
	check(err)
	answer, err := users.Login(context.Background(), &seed.LoginRequest{UserId: id, Password: password})
	check(err)
	return person{id, answer.Token}
}

func list(channels seed.ChannelServiceClient, who person, id uint32) ([]*seed.Channel, error) {
	stream, err := channels.List(who.context(), &seed.Channel{Id: id})
	check(err)
	var found []*seed.Channel
	for {
		one, err := stream.Recv()
		if errors.Is(err, io.EOF) {
			return found, nil
		}
		if err != nil {
			return nil, err
		}
		found = append(found, one)
	}
}

// Once more as soon as it is let: one may listen every two seconds.
func listen(channels seed.ChannelServiceClient, who person, id uint32) (string, string) {
	for {
		var header metadata.MD
		answer, err := channels.Listen(who.context(), &seed.Channel{Id: id}, grpc.Header(&header))
		if status.Code(err) == codes.ResourceExhausted {
			time.Sleep(200 * time.Millisecond)
			continue
		}
		check(err)
		return answer.Server.Addr, header.Get("channel-token")[0]
	}
}

func connect(channels seed.ChannelServiceClient, who person, id uint32) member {
	address, token := listen(channels, who, id)
	context := metadata.AppendToOutgoingContext(context.Background(), "channel-token", token)
	stream, err := seed.NewChatServiceClient(open(address)).Connect(context)
	check(err)
	header, err := stream.Header()
	check(err)
	if len(header.Get("user-number")) != 1 {
		check(fmt.Errorf("expected a number in the header, got %v", header))
	}
	found := member{stream, make(chan *seed.Message, 16), make(chan string, 1)}
	go func() {
		for {
			message, err := stream.Recv()
			if err != nil {
				if errors.Is(err, io.EOF) {
					found.ended <- "OK"
				} else {
					found.ended <- status.Code(err).String()
				}
				return
			}
			found.received <- message
		}
	}()
	return found
}

func main() {
	var options struct{ Address, Prefix string }
	check(json.Unmarshal([]byte(os.Args[1]), &options))
	connection := open(options.Address)
	users, channels := seed.NewUserServiceClient(connection), seed.NewChannelServiceClient(connection)
	ada, bob := register(users, options.Prefix+"-ada", "ada"), register(users, options.Prefix+"-bob", "bob")
	fmt.Println("registered")
	one, err := channels.Create(ada.context(), &seed.Channel{Name: "One", Limit: 2})
	check(err)
	two, err := channels.Create(ada.context(), &seed.Channel{Name: "Two", Limit: 2})
	check(err)
	fmt.Println("created", one.Name, one.Limit, two.Id > one.Id)
	found, err := list(channels, bob, one.Id)
	check(err)
	fmt.Println("listed", found[0].Name)
	all, err := list(channels, ada, 0)
	check(err)
	count := 0
	for _, channel := range all {
		if channel.Id == one.Id || channel.Id == two.Id {
			count++
		}
	}
	fmt.Println("all", count)
	first, second := connect(channels, ada, one.Id), connect(channels, bob, one.Id)
	check(first.stream.Send(&seed.Message{Data: []byte("hello"), Timestamp: 7}))
	message := <-second.received
	fmt.Println("received", string(message.Data), message.Timestamp, message.UserId > 0)
	third := connect(channels, bob, two.Id)
	fmt.Println("elsewhere", <-second.ended)
	_, err = channels.Delete(ada.context(), &seed.Channel{Id: two.Id})
	check(err)
	fmt.Println("deleted", <-third.ended)
	check(first.stream.CloseSend())
	fmt.Println("left", <-first.ended)
	_, err = channels.Delete(ada.context(), &seed.Channel{Id: one.Id})
	check(err)
	_, err = list(channels, ada, one.Id)
	fmt.Println("gone", status.Code(err))
}
