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
public final class TangentGram implements LargestEigenpair.Operator, KrylovSpace.Products {
  /** Examples at a time: what is read of z is read once for all of them. */
  private static final int CHUNK = 32;

  /** Sums of gradients, of P numbers each. */
  private static final int PARTS = 2;

  /** Vectors that share what is read of the examples, if their sums take no more numbers. */
  private static final int SHARING = 4;

  private static final int MOST_NUMBERS = 1 << 24;

  private static final List<Integer> PART_NUMBERS = IntStream.range(0, PARTS).boxed().toList();

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
    return outputs(new double[][] {z})[0];
  }

  private double[][] outputs(double[][] z) {
    double[][] r = new double[z.length][size()];
    int outputs = operator.outputs();
    pass(
        z.length,
        (part, products, first, count, u) -> {
          products.outputs(z, u);
          for (int j = 0; j < z.length; j++) {
            System.arraycopy(u[j], 0, r[j], first * outputs, count * outputs);
          }
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
    return gradients(new double[][] {y})[0];
  }

  private double[][] gradients(double[][] y) {
    double[][][] sums = new double[PARTS][y.length][operator.dimension()];
    int outputs = operator.outputs();
    pass(
        y.length,
        (part, products, first, count, u) -> {
          for (int j = 0; j < y.length; j++) {
            System.arraycopy(y[j], first * outputs, u[j], 0, count * outputs);
          }
          products.addGradient(u, sums[part]);
        });
    for (int part = 1; part < PARTS; part++) {
      for (int j = 0; j < y.length; j++) {
        Vectors.add(1, sums[part][j], sums[0][j]);
      }
    }
    return sums[0];
  }

  /** The product y = G x. */
  @Override
  public void apply(double[] x, double[] y) {
    apply(new double[][] {x}, new double[][] {y});
  }

  /** The products y_j = G x_j, some at a time. */
  @Override
  public void apply(double[][] x, double[][] y) {
    long numbers = Math.max(1, (long) PARTS * operator.dimension());
    int most = (int) Math.max(1, Math.min(SHARING, MOST_NUMBERS / numbers));
    for (int from = 0; from < x.length; from += most) {
      int to = Math.min(x.length, from + most);
      double[][] images = outputs(gradients(Arrays.copyOfRange(x, from, to)));
      for (int j = from; j < to; j++) {
        System.arraycopy(images[j - from], 0, y[j], 0, images[j - from].length);
      }
    }
  }

  /**
   * What each example has with itself.
   *
   * @return K × K numbers of J_i J_iᵀ, row by row, for each example
   * @throws CancellationException if cancelled
   */
  public double[] blocks() {
    int length = Math.multiplyExact(operator.outputs(), operator.outputs());
    double[] blocks = new double[Math.multiplyExact(operator.examples(), length)];
    Parallel.run(
        PART_NUMBERS,
        threads,
        part -> {
          TangentOperator.Products products = operator.products(1);
          double[] block = new double[length];
          for (int i = start(part); i < start(part + 1); i++) {
            requireGoingOn(cancelled);
            products.select(new int[] {i}, 1);
            products.block(block);
            System.arraycopy(block, 0, blocks, i * length, length);
          }
        });
    return blocks;
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
    void accept(int part, TangentOperator.Products products, int first, int count, double[][] u);
  }

  private int start(int part) {
    return (int) ((long) operator.examples() * part / PARTS);
  }

  private void pass(int vectors, Chunk task) {
    Parallel.run(PART_NUMBERS, threads, part -> pass(part, vectors, task));
  }

  private void pass(int part, int vectors, Chunk task) {
    int to = start(part + 1);
    TangentOperator.Products products = operator.products(CHUNK);
    int[] chosen = new int[CHUNK];
    double[][] u = new double[vectors][CHUNK * operator.outputs()];
    for (int first = start(part); first < to; first += CHUNK) {
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
