package dev.tidestream.server.openai;

import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.OptionalLong;

import org.jspecify.annotations.Nullable;

import dev.tidestream.protocol.ErrorCode;
import dev.tidestream.protocol.Usage;
import dev.tidestream.server.engine.TokenEvent;
import dev.tidestream.server.openai.wire.JsonBytes;
import dev.tidestream.server.openai.wire.LogprobList;
import dev.tidestream.server.openai.wire.TokenTexts;
import dev.tidestream.server.transport.endpoint.EndpointFactory;
import dev.tidestream.server.transport.endpoint.Exchange;
import dev.tidestream.server.transport.http.HttpError;
import dev.tidestream.server.transport.http.JsonAnswer;
import dev.tidestream.server.transport.stream.FrameMapper;

/**
 * Tokens as server-sent events, chunks of all choices as they come. A token without text (half a character, what may be a stop string) has
 * no chunk of its own: what is to be told of it goes with the next, unless that is much. Event loop.
 */
final class StreamedAnswer implements Answer {
    private static final int MAX_UNTOLD_BYTES = 16 << 10;
    private static final byte[] DATA = JsonBytes.ascii("data: ");

    private final Plan plan;
    private final AnswerHead head;
    private final Backend backend;
    private final TokenTexts texts;
    private final Exchange exchange;
    private final EventStream events;
    private final HttpGeneration generation;
    private final JsonBytes chunk = new JsonBytes();
    private final JsonBytes headBytes = new JsonBytes();
    private String headFingerprint = "";

    StreamedAnswer(Plan plan, AnswerHead head, Backend backend, TokenTexts texts, Exchange exchange, EndpointFactory.Loop loop,
            HttpGeneration generation) {
        this.plan = plan;
        this.head = head;
        this.backend = backend;
        this.texts = texts;
        this.exchange = exchange;
        this.generation = generation;
        this.events = new EventStream(exchange.response(), head.id(), loop.streams().writeQueueBytes(), loop.clock());
    }

    @Override
    public FrameMapper choice(int index) {
        return new Choice(index);
    }

    @Override
    public boolean writable() {
        return events.writable();
    }

    @Override
    public Duration signOfLife(Duration silence) {
        return events.signOfLife(silence);
    }

    @Override
    public void end(Usage usage) {
        if (plan.request().includeUsage()) {
            begin(headFingerprint);
            chunk.raw("[],\"usage\":");
            AnswerHead.usage(chunk, usage);
            send();
        }
        generation.ended(events.done());
    }

    @Override
    public void fail(HttpError error) {
        if (!events.started()) {
            generation.ended(Answers.refuse(exchange, error));
            return;
        }
        exchange.note(error);
        chunk.clear().raw(DATA).raw(JsonAnswer.text(error.body()).getBytes(StandardCharsets.UTF_8)).raw("\n"); // the text ends a line
        events.send(chunk);
        generation.ended(events.end());
    }

    /** Begins a chunk, up to where the value of {@code choices} begins; it is the same for all choices, unless new weights came between them. */
    private void begin(String fingerprint) {
        if (!fingerprint.equals(headFingerprint) || headBytes.size() == 0) {
            headFingerprint = fingerprint;
            head.writeTo(headBytes.clear(), fingerprint);
        }
        chunk.clear().raw(DATA).raw(headBytes);
    }

    private void send() {
        chunk.raw("}\n\n");
        events.send(chunk);
    }

    /** One choice. */
    private final class Choice implements FrameMapper {
        private final int index;
        private final LogprobList logprobs;
        private final EchoLogprobs echoLogprobs = new EchoLogprobs(texts);
        private final boolean withLogprobs;
        private final JsonBytes ids = new JsonBytes(); // that were not told yet
        private int textOffset;
        private long version;
        private long seed;
        private String fingerprint = "";
        private boolean toldPrompt;
        private @Nullable String receipt; // at its end

        Choice(int index) {
            this.index = index;
            this.logprobs = plan.format().newLogprobs(texts, plan.request().topLogprobs());
            this.withLogprobs = plan.request().topLogprobs() >= 0;
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
            begin(fingerprint);
            chunk.raw("[{\"index\":").number(index).raw(",");
            if (plan.format().first(chunk)) {
                finishChunk(null, OptionalLong.empty(), -1, true);
            } else if (plan.echo()) {
                echo();
            }
        }

        @Override
        public void progress(TokenEvent.Progress progress) {} // comments say that it goes on

        @Override
        public void scored(TokenEvent.Scored scored) {
            echoLogprobs.add(logprobs, scored);
            piece("", null, OptionalLong.empty(), -1); // those of a long prompt are not gathered
        }

        private void echo() {
            String text = String.valueOf(plan.promptOf(index).text());
            textOffset += text.codePointCount(0, text.length());
            piece(text, null, OptionalLong.empty(), -1);
        }

        @Override
        public void token(TokenEvent.Token t) {
            version = t.weightsVersion();
            if (withLogprobs) {
                logprobs.add(t.token(), t.logprob(), t.topLogprobs(), textOffset);
            }
            if (plan.request().returnTokenIds()) {
                ids.raw(ids.size() == 0 ? "" : ",").number(t.token());
            }
            if (!t.text().isEmpty()) {
                textOffset += t.text().codePointCount(0, t.text().length());
                piece(t.text(), null, OptionalLong.of(t.seq()), t.token());
            } else if (logprobs.size() + ids.size() > MAX_UNTOLD_BYTES) {
                piece("", null, OptionalLong.of(t.seq()), t.token());
            }
        }

        @Override
        public void finished(TokenEvent.Finish f) {
            receipt = backend.receipt(f, exchange.account().owner());
            piece("", Answers.finishReason(f.reason()), OptionalLong.empty(), -1);
            generation.finished(index, f.usage());
        }

        private void piece(String text, @Nullable String finish, OptionalLong seq, int token) {
            begin(fingerprint);
            chunk.raw("[{\"index\":").number(index).raw(",");
            plan.format().piece(chunk, text);
            finishChunk(finish, seq, token, finish != null);
        }

        private void finishChunk(
                @Nullable String finish, OptionalLong seq, int token, boolean tellSeed) {
            chunk.raw(",\"logprobs\":");
            if (logprobs.isEmpty()) {
                chunk.nullValue();
            } else {
                logprobs.writeTo(chunk);
                logprobs.clear();
            }
            chunk.raw(",\"finish_reason\":");
            if (finish == null) {
                chunk.nullValue();
            } else {
                chunk.string(finish);
            }
            int[] prompt = plan.request().returnTokenIds() && !toldPrompt ? plan.promptOf(index).tokens() : null;
            toldPrompt = true;
            if (prompt != null && plan.format().promptIdsInChoice()) {
                TokenIds.write(chunk.raw(",\"prompt_token_ids\":"), prompt);
            }
            if (ids.size() > 0) {
                chunk.raw(",\"token_ids\":[").raw(ids).raw("]");
                ids.clear();
            }
            chunk.raw(plan.request().includeUsage() ? "}],\"usage\":null" : "}]");
            if (prompt != null && !plan.format().promptIdsInChoice() && index == 0) {
                TokenIds.write(chunk.raw(",\"prompt_token_ids\":"), prompt);
            }
            chunk.raw(",\"tidestream\":{\"weights_version\":").number(version);
            if (seq.isPresent()) {
                chunk.raw(",\"seq\":").number(seq.getAsLong()).raw(",\"token\":").number(token);
            }
            if (tellSeed) {
                Answers.seed(chunk.raw(","), seed);
            }
            if (receipt != null) {
                chunk.raw(",\"receipt\":").string(receipt);
            }
            chunk.raw("}");
            send();
        }

        @Override
        public void failed(ErrorCode code, String message) {
            generation.fail(Answers.error(code, message));
        }
    }
}
