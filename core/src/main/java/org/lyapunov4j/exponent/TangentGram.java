// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.exponent;

import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.CancellationException;
import java.util.function.BooleanSupplier;
import java.util.stream.IntStream;
import org.lyapunov4j.gram.LargestEigenpair;
import org.lyapunov4j.gram.Vectors;

/**
 * Products with the whole of J and with the Gram matrix G = J Jᵀ, by passes over all examples. Each
 * pass is cut into the same parts whatever the number of threads, which changes no result.
 */
public final class TangentGram implements LargestEigenpair.Operator {
  /** Examples at a time: what is read of z is read once for all of them. */
  private static final int CHUNK = 32;

  /** Sums of gradients, of P numbers each. */
  private static final int PARTS = 2;

  private static final int ITERATIONS = 200;

  /** Share of z that a step of the projection must still explain. */
  private static final double STOP = 1e-13;

  /**
   * Share of z that is taken for rounding outside the range of Jᵀ; more of it are slow modes. After
   * 14 nats rounding of 1e-16 has become 1e-10.
   */
  private static final double LARGEST_REMAINDER = 1e-6;

  private final TangentOperator operator;
  private final int threads;
  private final BooleanSupplier cancelled;

  /**
   * The products of an operator.
   *
   * @param operator J
   * @param threads at least 1
   * @param cancelled asked some times during each pass, from several threads; true to stop
   */
  public TangentGram(TangentOperator operator, int threads, BooleanSupplier cancelled) {
    this.operator = Objects.requireNonNull(operator, "operator");
    this.threads = EstimatorBuilder.requireAtLeast("threads", threads, 1);
    this.cancelled = Objects.requireNonNull(cancelled, "cancelled");
  }

  /**
   * The number of rows.
   *
   * @return m = N·K
   */
  public int size() {
    return Math.multiplyExact(operator.examples(), operator.outputs());
  }

  /**
   * The product J z.
   *
   * @param z length P; not modified
   * @return length m
   * @throws CancellationException if cancelled
   */
  public double[] outputs(double[] z) {
    double[] r = new double[size()];
    int outputs = operator.outputs();
    pass(
        (part, products, first, count, u) -> {
          products.outputs(z, u);
          System.arraycopy(u, 0, r, first * outputs, count * outputs);
        });
    return r;
  }

  /**
   * The product Jᵀ y.
   *
   * @param y length m; not modified
   * @return length P
   * @throws CancellationException if cancelled
   */
  public double[] gradient(double[] y) {
    double[][] sums = new double[PARTS][operator.dimension()];
    int outputs = operator.outputs();
    pass(
        (part, products, first, count, u) -> {
          System.arraycopy(y, first * outputs, u, 0, count * outputs);
          products.addGradient(u, sums[part]);
        });
    for (int part = 1; part < PARTS; part++) {
      Vectors.add(1, sums[part], sums[0]);
    }
    return sums[0];
  }

  /** The product y = G x. */
  @Override
  public void apply(double[] x, double[] y) {
    double[] image = outputs(gradient(x));
    System.arraycopy(image, 0, y, 0, image.length);
  }

  /** The curvature ‖J_i z‖² that each example has along z. */
  double[] curvatures(double[] z) {
    double[] r = outputs(z);
    double[] curvatures = new double[operator.examples()];
    for (int row = 0; row < r.length; row++) {
      curvatures[row / operator.outputs()] += r[row] * r[row];
    }
    return curvatures;
  }

  /**
   * Takes out of z what rounding put into ker J: z becomes Jᵀw with G w = J z. Conjugate gradients
   * bring Jᵀw as near to z as their Krylov space allows.
   *
   * @param z replaced by its projection, or left as it is
   * @return whether it was replaced; false where slow modes of G are not resolved, since what would
   *     be thrown away then is not rounding
   */
  boolean project(double[] z) {
    double all = Vectors.dot(z, z);
    double[] remainder = outputs(z);
    double[] direction = remainder.clone();
    double[] projected = new double[z.length];
    double squares = Vectors.dot(remainder, remainder);
    for (int i = 0; i < ITERATIONS && squares > 0; i++) {
      double[] gradient = gradient(direction);
      double length = squares / Vectors.dot(gradient, gradient);
      Vectors.add(length, gradient, projected);
      if (length * squares <= STOP * STOP * all) {
        break;
      }
      Vectors.add(-length, outputs(gradient), remainder);
      double next = Vectors.dot(remainder, remainder);
      for (int r = 0; r < direction.length; r++) {
        direction[r] = remainder[r] + next / squares * direction[r];
      }
      squares = next;
    }
    double left = 0;
    for (int p = 0; p < z.length; p++) {
      left += (z[p] - projected[p]) * (z[p] - projected[p]);
    }
    boolean found = left <= LARGEST_REMAINDER * LARGEST_REMAINDER * all;
    if (found) {
      System.arraycopy(projected, 0, z, 0, z.length);
    }
    return found;
  }

  /** What is done with some examples in a row, which are selected. */
  private interface Chunk {
    void accept(int part, TangentOperator.Products products, int first, int count, double[] u);
  }

  private void pass(Chunk task) {
    List<Integer> parts = IntStream.range(0, PARTS).boxed().toList();
    Parallel.run(parts, threads, part -> pass(part, task));
  }

  private void pass(int part, Chunk task) {
    int examples = operator.examples();
    int to = (int) ((long) examples * (part + 1) / PARTS);
    TangentOperator.Products products = operator.products(CHUNK);
    int[] chosen = new int[CHUNK];
    double[] u = new double[CHUNK * operator.outputs()];
    for (int first = (int) ((long) examples * part / PARTS); first < to; first += CHUNK) {
      requireGoingOn(cancelled);
      int count = Math.min(CHUNK, to - first);
      int from = first;
      Arrays.setAll(chosen, b -> from + b);
      products.select(chosen, count);
      task.accept(part, products, first, count, u);
    }
  }

  static void requireGoingOn(BooleanSupplier cancelled) {
    if (cancelled.getAsBoolean() || Thread.currentThread().isInterrupted()) {
      throw new CancellationException("products with the tangent kernel were cancelled");
    }
  }
}
