package dev.tidestream.server.admin.transaction;

import java.util.Arrays;
import java.util.List;

import dev.tidestream.protocol.admin.AdminErrorCode;
import dev.tidestream.protocol.admin.PayloadType;
import dev.tidestream.server.admin.AdminException;
import dev.tidestream.server.admin.store.ChangeKind;
import dev.tidestream.server.huggingface.names.NamedTensor;

/** Single elements of a part, in the order in which they are held. Those that rise there already need no memory. */
final class SparseChanges {
    /** Elements that are brought into order in memory, 8 bytes each. */
    private static final int MOST_UNSORTED = 32 << 20;
    private static final int PLACE_BITS = 25; // of positions below MOST_UNSORTED

    private SparseChanges() {}

    static PlannedChange plan(PartChange.Sparse change, NamedTensor named, List<Long> held) throws AdminException {
        StoredNumbers indices = StoredNumbers.of(change.file(), change.indices());
        StoredNumbers values = StoredNumbers.of(change.file(), change.values());
        indices.requireNumbers();
        PayloadType stored = values.floats();
        long elements = held.stream().reduce(1L, (a, b) -> a * b);
        long count = indices.count();
        if (count < 1 || count > elements) {
            throw new AdminException(AdminErrorCode.INVALID_SHAPE, "number of elements does not fit: tensor=%s, indices=%d, expected=1..%d"
                    .formatted(change.name(), count, elements));
        }
        ChangePlanner.requireShape(change.name(), change.indices(), List.of(count));
        ChangePlanner.requireShape(change.name(), change.values(), List.of(count));
        Places places = new Places(change.name(), named, held, indices);
        boolean rising = places.check(elements);
        if (!rising) {
            var _ = places.order(elements); // none twice; an update of many such tensors holds one order at a time
        }
        PayloadType type = named.added() == 0 ? stored : PayloadType.F32;
        return new PlannedChange(change.name(), named.tensor(), ChangeKind.SPARSE, List.of(count), type, 0, out -> {
            long[] order = rising ? new long[0] : places.order(elements);
            for (long i = 0; i < count; i++) {
                out.putLong(rising ? places.held(i) : order[(int) i] >>> PLACE_BITS);
            }
            for (long i = 0; i < count; i++) {
                long from = rising ? i : order[(int) i] & MOST_UNSORTED - 1;
                if (named.added() == 0) {
                    values.put(from, out);
                } else {
                    out.putFloat(values.value(from) + named.added());
                }
            }
        });
    }

    /** Where the elements are held. */
    private record Places(String name, NamedTensor named, List<Long> shape, StoredNumbers indices) {
        long held(long i) {
            return shape.size() == 2 ? named.heldIndex(indices.number(i), shape.getFirst(), shape.getLast()) : indices.number(i);
        }

        /** Whether they rise. */
        boolean check(long elements) throws AdminException {
            boolean rising = true;
            long before = -1;
            for (long i = 0; i < indices.count(); i++) {
                long index = indices.number(i);
                if (index < 0 || index >= elements) {
                    throw new AdminException(AdminErrorCode.INVALID_VALUE,
                            "no such element: tensor=%s, indices[%d]=%d, the tensor's elements=%d".formatted(name, i, index, elements));
                }
                long place = held(i);
                rising &= place > before;
                before = place;
            }
            return rising;
        }

        /** The held place in the upper bits, the position in the part in the lower, in order of places. */
        long[] order(long elements) throws AdminException {
            if (indices.count() > MOST_UNSORTED || elements > (1L << (Long.SIZE - 1 - PLACE_BITS))) {
                throw new AdminException(AdminErrorCode.TOO_MANY_BYTES,
                        "too many elements to be brought into order; send them in that of the model's file: tensor=%s, indices=%d, limit=%d"
                                .formatted(name, indices.count(), MOST_UNSORTED));
            }
            long[] order = new long[Math.toIntExact(indices.count())];
            for (int i = 0; i < order.length; i++) {
                order[i] = held(i) << PLACE_BITS | i;
            }
            Arrays.sort(order);
            for (int i = 1; i < order.length; i++) {
                if (order[i - 1] >>> PLACE_BITS == order[i] >>> PLACE_BITS) {
                    throw new AdminException(AdminErrorCode.INVALID_VALUE, "element is listed twice: tensor=%s, indices[%d]=indices[%d]=%d"
                            .formatted(name, order[i - 1] & MOST_UNSORTED - 1, order[i] & MOST_UNSORTED - 1,
                                    indices.number(order[i] & MOST_UNSORTED - 1)));
                }
            }
            return order;
        }
    }
}
