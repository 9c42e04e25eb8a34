package dev.tidestream.loadtest;

import java.util.ArrayList;
import java.util.List;

import dev.tidestream.protocol.ServerMessage;

/** What one stream has received, and what was wrong with it. */
final class StreamCheck {
    private final String id;
    private final int maxTokens;
    private final long startNs;
    private final List<String> problems = new ArrayList<>();

    private boolean accepted;
    private boolean ended;
    private long weightsVersion;
    private int tokens;
    private long firstTokenNs = -1;
    private long lastTokenNs;

    StreamCheck(String id, int maxTokens, long startNs) {
        this.id = id;
        this.maxTokens = maxTokens;
        this.startNs = startNs;
    }

    void accept(ServerMessage message, long nowNs) {
        if (ended) {
            problem("a frame after the end: " + message);
            return;
        }
        switch (message) {
            case ServerMessage.Accepted a -> {
                if (accepted) {
                    problem("accepted twice");
                }
                accepted = true;
                weightsVersion = a.weightsVersion();
            }
            case ServerMessage.Progress p -> {
                if (!accepted || tokens > 0) {
                    problem("progress out of order: " + p);
                }
            }
            case ServerMessage.Token t -> token(t, nowNs);
            case ServerMessage.Finished f -> {
                ended = true;
                if (f.usage().completionTokens() != tokens) {
                    problem("tokens lost: received=" + tokens + ", usage=" + f.usage().completionTokens());
                }
            }
            case ServerMessage.Failed f -> {
                ended = true;
                problem(f.code().wireName() + ": " + f.message());
            }
            case ServerMessage.WeightsChanged w -> problem("news of weights in a stream: " + w);
        }
    }

    private void token(ServerMessage.Token t, long nowNs) {
        if (!accepted) {
            problem("a token before accepted: seq=" + t.seq());
        }
        if (t.seq() != tokens) {
            problem("wrong order: seq=" + t.seq() + ", expected=" + tokens);
        }
        if (t.weightsVersion() != weightsVersion) {
            problem("another weights version in a pinned stream: version=" + t.weightsVersion() + ", accepted=" + weightsVersion);
        }
        tokens++;
        if (tokens > maxTokens) {
            problem("more tokens than asked for: tokens=" + tokens + ", max_tokens=" + maxTokens);
        }
        if (firstTokenNs < 0) {
            firstTokenNs = nowNs;
        }
        lastTokenNs = nowNs;
    }

    /** No more frames will come. */
    void close(String why) {
        if (!ended) {
            ended = true;
            problem("not finished after " + tokens + " tokens: " + why);
        }
    }

    private void problem(String text) {
        problems.add(id + ": " + text);
    }

    boolean ended() {
        return ended;
    }

    List<String> problems() {
        return problems;
    }

    int tokens() {
        return tokens;
    }

    /** From the request to the first token; -1 if there was none. */
    long timeToFirstTokenNs() {
        return firstTokenNs < 0 ? -1 : firstTokenNs - startNs;
    }

    long lastTokenNs() {
        return lastTokenNs;
    }
}
