package dev.tidestream.server.adapters;

import java.util.List;

import dev.tidestream.model.adapter.Adapter;
import dev.tidestream.server.adapters.file.ReadAdapter;

/** Adapters that are served without having been read. */
public final class TestAdapters {
    private TestAdapters() {}

    public static ServedAdapter served(String name, long number, Adapter adapter) {
        return new ServedAdapter(name, number, new ReadAdapter(adapter, "test", "0".repeat(64), false, 0, 1, List.of()),
                "nowhere", 0, () -> { });
    }

    /** Serves it no longer. */
    public static void unload(ServedAdapter served) {
        served.retire();
    }
}
