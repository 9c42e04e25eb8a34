package dev.tidestream.server.scheduler.kv;

import java.util.ArrayList;
import java.util.List;
import java.util.function.LongPredicate;

import org.junit.jupiter.api.Test;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

class OldPrefixesTest {
    private final List<LongPredicate> retained = new ArrayList<>();
    private final OldPrefixes old = new OldPrefixes(retained::add);

    private void step(long newest, long... inUse) {
        old.forget(newest, versions -> {
            for (long version : inUse) {
                versions.accept(version);
            }
        });
    }

    @Test
    void shouldLookThroughTheIndexOnlyWhenOtherVersionsAreInUse() {
        for (int i = 0; i < 100; i++) {
            step(1, 1, 1);
        }
        assertEquals(1, retained.size());
        for (int i = 0; i < 100; i++) {
            step(2, 1, 2);
        }
        assertEquals(2, retained.size());
        assertTrue(retained.getLast().test(1) && retained.getLast().test(2));
        for (int i = 0; i < 100; i++) {
            step(2, 2);
        }
        assertEquals(3, retained.size());
        assertTrue(retained.getLast().test(2));
        assertFalse(retained.getLast().test(1));
    }

    @Test
    void shouldForgetOlderVersionsAlsoThatAStreamHasBroughtBack() {
        step(2, 2);
        old.joined(2);
        step(2, 2);
        assertEquals(1, retained.size());
        old.joined(1);
        step(2, 1, 2);
        assertTrue(retained.getLast().test(1) && retained.getLast().test(2));
        step(2, 2);
        assertEquals(3, retained.size());
        assertFalse(retained.getLast().test(1));
    }
}
