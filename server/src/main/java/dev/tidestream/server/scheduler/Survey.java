package dev.tidestream.server.scheduler;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;

import dev.tidestream.server.adapters.ServedAdapter;
import dev.tidestream.server.scheduler.status.StreamStatus;
import dev.tidestream.server.scheduler.status.StreamStatus.Place;

/** What is told of streams that have not ended. */
final class Survey {

    private Survey() {}

    /** All of these, the oldest first. */
    static List<StreamStatus> of(Slots running, AdmissionQueue waiting, Parking parked, long nowNs) {
        List<StreamStatus> all = new ArrayList<>();
        running.all().forEach(sequence -> all.add(of(sequence, Place.RUNNING, nowNs)));
        waiting.forEach(sequence -> all.add(of(sequence, Place.QUEUED, nowNs)));
        parked.all().forEach(sequence -> all.add(of(sequence, Place.PARKED, nowNs)));
        all.sort(Comparator.comparingLong(StreamStatus::stream));
        return all;
    }

    private static StreamStatus of(Sequence sequence, Place place, long nowNs) {
        SequenceRequest request = sequence.request();
        ServedAdapter adapter = request.adapter();
        return new StreamStatus(sequence.stream(), place, request.client().demand(), request.prompt().length, sequence.generated(),
                sequence.positions(), sequence.lease().epoch().weightsVersion(), adapter == null ? "" : adapter.name(),
                nowNs - request.arrivalNs());
    }
}
