package dev.tidestream.server.openai;

import java.util.ArrayList;
import java.util.List;

import io.vertx.core.http.HttpHeaders;
import io.vertx.core.http.HttpServerResponse;
import org.jspecify.annotations.Nullable;

import dev.tidestream.protocol.ErrorCode;
import dev.tidestream.protocol.Usage;
import dev.tidestream.server.engine.TokenEvent;
import dev.tidestream.server.openai.wire.JsonBytes;
import dev.tidestream.server.openai.wire.LogprobList;
import dev.tidestream.server.openai.wire.TokenTexts;
import dev.tidestream.server.transport.endpoint.AnswerMemory;
import dev.tidestream.server.transport.endpoint.EndpointFactory;
import dev.tidestream.server.transport.endpoint.Exchange;
import dev.tidestream.server.transport.http.HttpError;
import dev.tidestream.server.transport.stream.FrameMapper;

/** All choices in one JSON object, when the last has finished; bounded in bytes. Event loop. */
final class WholeAnswer implements Answer {
    private static final int TOO_LARGE = 400;
    private static final int OK = 200;

    private final Plan plan;
    private final AnswerHead head;
    private final Backend backend;
    private final TokenTexts texts;
    private final Exchange exchange;
    private final HttpGeneration generation;
    private final AnswerMemory memory;
    private final AnswerMemory.Share share;
    private final int maxBytes;
    private final List<Choice> choices = new ArrayList<>();
    private long bytes; // of all choices

    WholeAnswer(Plan plan, AnswerHead head, Backend backend, TokenTexts texts, Exchange exchange, EndpointFactory.Loop loop,
            HttpGeneration generation) {
        this.plan = plan;
        this.head = head;
        this.backend = backend;
        this.texts = texts;
        this.exchange = exchange;
        this.generation = generation;
        this.memory = loop.memory();
        this.share = memory.share();
        this.maxBytes = loop.answers().maxBytes();
        generation.closed().onComplete(closed -> share.release());
    }

    @Override
    public FrameMapper choice(int index) {
        Choice choice = new Choice(index);
        choices.add(choice);
        return choice;
    }

    @Override
    public boolean writable() {
        return true; // nothing is written before the end
    }

    @Override
    public void end(Usage usage) {
        JsonBytes out = new JsonBytes();
        long version = choices.getLast().version;
        head.writeTo(out, choices.getFirst().fingerprint);
        out.raw("[");
        long seed = choices.getFirst().seed;
        for (Choice choice : choices) {
            choice.writeTo(out);
        }
        choices.clear(); // what they hold is in the answer now
        out.raw("]");
        int[] prompt = plan.promptOf(0).tokens();
        if (plan.request().returnTokenIds() && prompt != null && !plan.format().promptIdsInChoice()) {
            TokenIds.write(out.raw(",\"prompt_token_ids\":"), prompt);
        }
        out.raw(",\"usage\":");
        AnswerHead.usage(out, usage);
        Answers.seed(out.raw(",\"tidestream\":{\"weights_version\":").number(version).raw(","), seed);
        out.raw("}}\n");
        HttpServerResponse response = exchange.response().setStatusCode(OK)
                .putHeader(HttpHeaders.CONTENT_TYPE, "application/json")
                .putHeader(HttpHeaders.CONTENT_LENGTH, Integer.toString(out.size()))
                .putHeader(HttpHeaders.CACHE_CONTROL, "no-store")
                .putHeader("x-request-id", head.id());
        generation.ended(response.end(out.handOver()));
    }

    @Override
    public void fail(HttpError error) {
        generation.ended(Answers.refuse(exchange, error));
    }

    /** Last in every event: there may be no more of them. */
    private void grow(long more) {
        bytes += more;
        if (bytes > maxBytes) {
            generation.fail(HttpError.of(TOO_LARGE, "answer_too_large",
                    "the answer is too large to be sent whole: bytes=%d, limit=%d; ask for a stream".formatted(bytes, maxBytes)));
        } else if (!share.grow(bytes)) {
            generation.fail(Answers.noRoom(memory));
        }
    }

    /** One choice. */
    private final class Choice implements FrameMapper {
        private final int index;
        private final LogprobList logprobs;
        private final EchoLogprobs echoLogprobs = new EchoLogprobs(texts);
        private final StringBuilder text = new StringBuilder();
        private final JsonBytes ids = new JsonBytes();
        private int textOffset;
        private long counted;
        private long version;
        private long seed;
        private String fingerprint = "";
        private boolean echoed;
        private @Nullable String finishReason;
        private @Nullable String receipt;

        Choice(int index) {
            this.index = index;
            this.logprobs = plan.format().newLogprobs(texts, plan.request().topLogprobs());
        }

        private void count() {
            long now = (long) Character.BYTES * text.length() + logprobs.size() + ids.size();
            long more = now - counted;
            counted = now;
            grow(more);
        }

        @Override
        public void accepted(TokenEvent.Accepted a) {
            version = a.weightsVersion();
            seed = a.seed();
            fingerprint = head.fingerprint(a);
            int[] prompt = plan.promptOf(index).tokens();
            if (plan.scores() && prompt != null && prompt.length > 0) {
                echoLogprobs.first(logprobs, prompt[0]);
            }
        }

        @Override
        public void progress(TokenEvent.Progress progress) {}

        @Override
        public void scored(TokenEvent.Scored scored) {
            echoLogprobs.add(logprobs, scored);
            count();
        }

        private void echo() {
            if (plan.echo() && !echoed) {
                echoed = true;
                append(String.valueOf(plan.promptOf(index).text()));
            }
        }

        private void append(String more) {
            text.append(more);
            textOffset += more.codePointCount(0, more.length());
        }

        @Override
        public void token(TokenEvent.Token t) {
            echo();
            version = t.weightsVersion();
            if (plan.request().topLogprobs() >= 0) {
                logprobs.add(t.token(), t.logprob(), t.topLogprobs(), textOffset);
            }
            if (plan.request().returnTokenIds()) {
                ids.raw(ids.size() == 0 ? "" : ",").number(t.token());
            }
            append(t.text());
            count();
        }

        @Override
        public void finished(TokenEvent.Finish f) {
            echo();
            finishReason = Answers.finishReason(f.reason());
            receipt = backend.receipt(f, exchange.account().owner());
            count();
            generation.finished(index, f.usage());
        }

        @Override
        public void failed(ErrorCode code, String message) {
            generation.fail(Answers.error(code, message));
        }

        void writeTo(JsonBytes out) {
            out.raw(index == 0 ? "{\"index\":" : ",{\"index\":").number(index).raw(",");
            plan.format().whole(out, text);
            out.raw(",\"logprobs\":");
            if (logprobs.isEmpty()) {
                out.nullValue();
            } else {
                logprobs.writeTo(out);
            }
            out.raw(",\"finish_reason\":").string(String.valueOf(finishReason));
            int[] prompt = plan.promptOf(index).tokens();
            if (plan.request().returnTokenIds() && prompt != null) {
                if (plan.format().promptIdsInChoice()) {
                    TokenIds.write(out.raw(",\"prompt_token_ids\":"), prompt);
                }
                out.raw(",\"token_ids\":[").raw(ids).raw("]");
            }
            if (receipt != null) {
                out.raw(",\"tidestream\":{\"receipt\":").string(receipt).raw("}");
            }
            out.raw("}");
        }
    }
}
