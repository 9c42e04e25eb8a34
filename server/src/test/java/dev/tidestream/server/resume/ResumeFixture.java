package dev.tidestream.server.resume;

import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import java.util.OptionalLong;
import java.util.concurrent.atomic.AtomicLong;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.io.TempDir;

import dev.tidestream.model.tensor.WorkerTeam;
import dev.tidestream.model.tied.HeadMode;
import dev.tidestream.protocol.ClientMessage;
import dev.tidestream.protocol.SamplingOptions;
import dev.tidestream.protocol.WeightsPolicy;
import dev.tidestream.server.FakeLanguageModel;
import dev.tidestream.server.FakeTokenizer;
import dev.tidestream.server.adapters.ServedAdapters;
import dev.tidestream.server.engine.ChatPrompts;
import dev.tidestream.server.engine.EngineConfig;
import dev.tidestream.server.engine.TokenEngine;
import dev.tidestream.server.engine.TokenEvent;
import dev.tidestream.server.epoch.CurrentEpoch;
import dev.tidestream.server.epoch.ModelEpoch;
import dev.tidestream.server.pacing.StepBreak;
import dev.tidestream.server.scheduler.TokenObserver;

import static org.junit.jupiter.api.Assertions.assertEquals;

/** A real engine over a model that shows every token lost, repeated or misplaced, and streams of it that can be resumed. */
abstract class ResumeFixture {
    static final SamplingOptions SAMPLED =
            new SamplingOptions(1f, 0, 1f, 0f, 1.2f, 0.3f, 0.1f, Map.of(0, -100f), OptionalLong.of(7)); // 0 would be the end
    static final int TOKENS = 400;
    static final ResumeLimits LIMITS = new ResumeLimits(Duration.ofSeconds(30), 4, 4 << 20, 1 << 20);
    static final ResumeLimits FORGETFUL = new ResumeLimits(Duration.ofSeconds(30), 4, 4, 1 << 20);

    @TempDir
    Path temp;

    final AtomicLong nowNs = new AtomicLong();
    final List<AutoCloseable> open = new ArrayList<>();
    long version = 3;
    HeadMode headMode = HeadMode.PACKED;
    ChatPrompts chats = ChatPrompts.NONE;
    CurrentEpoch epochs = epochs();
    TokenEngine engine = engine();

    static FakeLanguageModel model(long version) {
        return new FakeLanguageModel(512, 32, version);
    }

    CurrentEpoch epochs() {
        return new CurrentEpoch(new ModelEpoch(version, headMode, model(version), () -> { }));
    }

    TokenEngine engine() {
        EngineConfig d = EngineConfig.DEFAULT;
        EngineConfig impatient = new EngineConfig(
                d.maxSequences(), d.maxSequencesPerConnection(), 8 << 20, d.prefillChunkRows(), 0, d.prompts(), d.queue(), d.stalled());
        TokenEngine started = TokenEngine.start(impatient, new FakeTokenizer(), chats, epochs, ServedAdapters.NONE,
                new StepBreak(), TokenObserver.NONE,
                WorkerTeam.sequential());
        open.add(started);
        return started;
    }

    @AfterEach
    void close() throws Exception {
        for (AutoCloseable each : open.reversed()) {
            each.close();
        }
    }

    ResumableStreams streams(ResumeLimits limits) {
        return new ResumableStreams(engine, limits, nowNs::get);
    }

    ResumableStreams journaled() throws IOException {
        return new ResumableStreams(engine, LIMITS, nowNs::get, journal());
    }

    JournalDirectory journal() throws IOException {
        JournalDirectory journal = new JournalDirectory(temp.resolve("streams"), LIMITS.maxJournalBytes(), "exact");
        open.add(journal);
        return journal;
    }

    /** The process ends and another begins. */
    ResumableStreams restarted() throws Exception {
        close();
        open.clear();
        epochs = epochs();
        engine = engine();
        return journaled();
    }

    static ClientMessage.Generate message(WeightsPolicy weights) {
        return new ClientMessage.Generate("a", "Once upon", false, null, TOKENS, SAMPLED, List.of(), 0, weights, OptionalInt.empty());
    }

    static List<TokenEvent.Token> all(ResumableStreams streams) throws InterruptedException {
        Reader reader = Reader.of(streams.open(message(WeightsPolicy.PIN), "", "c", "c").generation());
        assertEquals(7, reader.accepted().seed());
        return reader.tokens(TOKENS);
    }

    /** What must be equal of a token: all but what the last says of its way, timing and cached tokens. */
    static List<Object> said(TokenEvent.Token token) {
        return List.of(token.seq(), token.token(), token.text(), token.weightsVersion(), String.valueOf(token.logprob()),
                token.finish() == null ? "" : token.finish().reason(), token.finish() == null ? "" : token.finish().usage().promptTokens(),
                token.finish() == null ? "" : token.finish().usage().completionTokens());
    }

    static void assertSame(List<TokenEvent.Token> expected, List<TokenEvent.Token> actual) {
        assertEquals(expected.stream().map(ResumeFixture::said).toList(), actual.stream().map(ResumeFixture::said).toList());
    }
}
