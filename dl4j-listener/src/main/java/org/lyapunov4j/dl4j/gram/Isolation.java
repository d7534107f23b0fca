// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.dl4j.gram;

import java.lang.reflect.Field;
import java.util.Optional;
import org.nd4j.linalg.api.memory.MemoryWorkspace;
import org.nd4j.linalg.api.rng.Random;
import org.nd4j.linalg.factory.Nd4j;

/**
 * Work of ours in a thread that may be training: outside of its workspaces, and with the thread's
 * generator of ND4J, the only kind there is, as it was when the work is over. Layers, vertices and
 * activations may draw from it where nobody expects it, as {@code Nd4j.linspace} does. Meanwhile
 * the generator starts from a fixed state, so that such draws are the same in every thread.
 *
 * <pre>{@code
 * try (Isolation isolation = Isolation.begin()) { ... }
 * }</pre>
 *
 * <p>May be nested. Begun and closed by one thread. Costs some microseconds.
 */
public final class Isolation implements AutoCloseable {
  private static final long ROOT = 0x6c796170756e6f76L;
  private static final long NODE = 0x346a;

  private final Random random = Nd4j.getRandom();
  private final long seed = random.getSeed();
  private final long root = random.rootState();
  private final long node = random.nodeState();
  private final Optional<SecondNormal> second = SecondNormal.of(random);
  private final MemoryWorkspace outside;

  private Isolation() {
    outside = Nd4j.getMemoryManager().scopeOutOfWorkspaces();
    second.ifPresent(SecondNormal::drop);
    random.setStates(ROOT, NODE);
  }

  /**
   * Begins.
   *
   * @return to be closed at the end, however that comes
   */
  public static Isolation begin() {
    return new Isolation();
  }

  @Override
  public void close() {
    try (outside) {
      if (random.getSeed() != seed) {
        random.setSeed(seed);
      }
      random.setStates(root, node);
      second.ifPresent(SecondNormal::restore);
    }
  }

  /**
   * Normal numbers come in pairs, and the second of a pair waits in private fields of ND4J's
   * generator. Where these are others, so is the way it draws, and nothing waits.
   */
  private static final class SecondNormal {
    private final Random random;
    private final Field waits;
    private final Field number;
    private final boolean waiting;
    private final double value;

    private SecondNormal(Random random, Class<?> owner) throws ReflectiveOperationException {
      this.random = random;
      waits = owner.getDeclaredField("generated");
      number = owner.getDeclaredField("z1");
      waits.setAccessible(true);
      number.setAccessible(true);
      waiting = waits.getBoolean(random);
      value = number.getDouble(random);
    }

    static Optional<SecondNormal> of(Random random) {
      try {
        return Optional.of(new SecondNormal(random, random.getClass().getSuperclass()));
      } catch (ReflectiveOperationException | RuntimeException other) {
        return Optional.empty();
      }
    }

    void drop() {
      set(false, value);
    }

    void restore() {
      set(waiting, value);
    }

    private void set(boolean waiting, double value) {
      try {
        waits.setBoolean(random, waiting);
        number.setDouble(random, value);
      } catch (IllegalAccessException e) {
        throw new IllegalStateException("the fields were made accessible", e);
      }
    }
  }
}
