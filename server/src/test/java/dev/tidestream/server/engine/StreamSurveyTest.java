package dev.tidestream.server.engine;

import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;

import org.junit.jupiter.api.Test;

import dev.tidestream.server.scheduler.status.StreamStatus;
import dev.tidestream.server.scheduler.status.StreamStatus.Place;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

/** Who streams, as the decode thread tells it between two steps. */
class StreamSurveyTest extends EngineFixture {
    @Test
    void shouldTellOfEveryStreamWhereItIs() {
        TokenEngine engine = manualEngine();
        Recorder parked = subscribe(engine, request("Hi", 5));
        Recorder running = subscribe(engine, request("abc", 20));
        parked.request(3);
        running.request(9);
        work(engine);
        nowNs = TimeUnit.MILLISECONDS.toNanos(250);
        running.request(4);
        engine.loop().doWork();
        CompletableFuture<List<StreamStatus>> asked = engine.streams();
        assertFalse(asked.isDone(), "only the decode thread knows");
        engine.loop().doWork();
        assertEquals(List.of(
                new StreamStatus(1, Place.PARKED, 0, 2, 2, 7, 3, "", nowNs),
                new StreamStatus(2, Place.RUNNING, 2, 3, 10, 23, 3, "", nowNs)), asked.join());
        engine.close();
    }

    @Test
    void shouldGiveOneAnswerToAllWhoAskMeanwhile() {
        TokenEngine engine = manualEngine();
        CompletableFuture<List<StreamStatus>> first = engine.streams();
        CompletableFuture<List<StreamStatus>> second = engine.streams();
        engine.loop().doWork();
        assertEquals(List.of(), first.join());
        assertEquals(List.of(), second.join());
        CompletableFuture<List<StreamStatus>> third = engine.streams();
        assertFalse(third.isDone());
        engine.close();
        assertEquals(List.of(), third.join(), "nobody waits for an engine that has ended");
        assertTrue(engine.streams().isDone());
    }
}
