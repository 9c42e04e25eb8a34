package dev.tidestream.loadtest.plan;

import java.time.Duration;

/** How a reader grants credit: {@code greedy}, {@code paced:20} (tokens/s) or {@code stop-and-go:16,500ms}. */
public sealed interface CreditPolicy {

    /** No credit field: as fast as the socket takes them. */
    record Greedy() implements CreditPolicy {
        @Override
        public String toString() {
            return "greedy";
        }
    }

    /** One token at the start, then so many per second. */
    record Paced(double tokensPerS) implements CreditPolicy {
        public Paced {
            if (!(tokensPerS > 0)) {
                throw new IllegalArgumentException("tokens per second must be above 0: " + tokensPerS);
            }
        }

        @Override
        public String toString() {
            return "paced:" + Times.number(tokensPerS);
        }
    }

    /** So many tokens at once; when they have come, a pause, then as many again. */
    record StopAndGo(int tokens, Duration pause) implements CreditPolicy {
        public StopAndGo {
            if (tokens < 1) {
                throw new IllegalArgumentException("tokens at once must be at least 1: " + tokens);
            }
        }

        @Override
        public String toString() {
            return "stop-and-go:" + tokens + "," + Times.text(pause);
        }
    }

    /** @throws IllegalArgumentException if it is none of the three forms */
    static CreditPolicy parse(String text) {
        if (text.equals("greedy")) {
            return new Greedy();
        }
        try {
            if (text.startsWith("paced:")) {
                return new Paced(Double.parseDouble(text.substring("paced:".length())));
            }
            if (text.startsWith("stop-and-go:")) {
                String[] parts = text.substring("stop-and-go:".length()).split(",", 2);
                return new StopAndGo(Integer.parseInt(parts[0].strip()), Times.parse(parts[1]));
            }
        } catch (NumberFormatException | ArrayIndexOutOfBoundsException e) {
            throw new IllegalArgumentException("not greedy, paced:TOKENS_PER_S or stop-and-go:TOKENS,PAUSE: " + text, e);
        }
        throw new IllegalArgumentException("not greedy, paced:TOKENS_PER_S or stop-and-go:TOKENS,PAUSE: " + text);
    }
}
