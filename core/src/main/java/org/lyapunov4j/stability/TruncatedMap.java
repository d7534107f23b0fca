// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.stability;

import java.util.Arrays;
import org.lyapunov4j.gram.BlockCholesky;
import org.lyapunov4j.gram.Vectors;

/**
 * {@link ReducedMap} with the small eigenvalues in closed form. Pairs (k, l) of one of the first
 * {@code head} eigenvectors with one of the first {@code reach} are exact. For the rest κ_kl ≈
 * t·(g_k + g_l) with the factor t that is right, but for 5 %, at the tail's mean eigenvalue: the
 * sum over l of κ_kl for a small g_l is that of a trace, so
 *
 * <pre>
 *   Σ_tail t·(g_k + g_l) bd(q_k q_kᵀ D q_l q_lᵀ) = t·(D bd(G_t) + bd(G_t) D) − (pairs with the head)
 * </pre>
 *
 * with G_t the part of G beyond the head, needs no matrix product. It approximates, without a
 * bound: what it finds is a start for the map itself.
 *
 * <p>Cost for m rows: 4·m·head·reach flops for overlaps and image together.
 */
final class TruncatedMap implements SecondMomentMap {
  /**
   * A parallel sum lies below its bound gh/(g + h) ≤ (g + h)/4; measured on tangent kernels of 1000
   * rows.
   */
  private static final double BELOW_BOUND = 0.95;

  /** Of the largest diagonal entry: a few roundings of a block of some hundred outputs. */
  private static final double NO_PIVOT = 1e-13;

  /** Of the head, so that one is prepared while the product of the other is formed. */
  private static final int STRIPS = 2;

  private final EigenBasis basis;
  private final int head;
  private final int reach;
  private final double tailMean;
  private final double[] tail;
  private final double[] tailFactor;

  /** A random x, Qx and that of its head, by which overlaps are checked. */
  private final double[] signs;

  private final double[] combined;
  private final double[] combinedHead;

  /** The map with {@code head} eigenvectors exact among {@code reach}. */
  TruncatedMap(EigenBasis basis, int head, int reach) {
    this(basis, head, reach, null);
  }

  /** The same, cheaper to prepare from the map of a shorter head. */
  TruncatedMap(EigenBasis basis, int head, int reach, TruncatedMap coarser) {
    this.basis = basis;
    this.head = Math.min(head, basis.count());
    this.reach = Math.max(this.head, Math.min(reach, basis.count()));
    double sum = 0;
    double squares = 0;
    double[] g = new double[basis.count()];
    for (int k = 0; k < g.length; k++) {
      g[k] = basis.eigenvalue(k);
      if (k >= this.head) {
        sum += g[k];
        squares += g[k] * g[k];
      }
    }
    tailMean = sum > 0 ? squares / sum : 0;
    if (coarser == null) {
      tail = basis.blocks(g, this.head, g.length);
    } else {
      tail = coarser.tail.clone();
      double[] between = basis.blocks(g, coarser.head, this.head);
      for (int i = 0; i < tail.length; i++) {
        tail[i] -= between[i];
      }
    }
    int outputs = basis.outputs();
    tailFactor =
        BlockCholesky.factors(
            tail, outputs, BlockCholesky.largestDiagonal(tail, outputs, NO_PIVOT));
    signs = EigenBasis.randomSigns(this.reach);
    combined = basis.combination(signs);
    combinedHead = basis.combination(Arrays.copyOf(signs, this.head));
  }

  @Override
  public int dimension() {
    return basis.dimension();
  }

  @Override
  public int pairs() {
    return head * reach + dimension();
  }

  /** Overlaps with the eigenvectors, column by column of the head, then D L with L Lᵀ = bd(G_t). */
  @Override
  public double[] overlaps(double[] d) {
    return basis.verified(() -> computeOverlaps(d), overlaps -> areOverlaps(d, overlaps));
  }

  private int stripWidth() {
    return (head + STRIPS - 1) / STRIPS;
  }

  private double[] computeOverlaps(double[] d) {
    double[] result = new double[pairs()];
    basis.forEachStrip(
        head,
        stripWidth(),
        (products, from, to) -> products.overlaps(reach, d, from, to, result, from * reach));
    addTimesFactor(d, result, head * reach);
    return result;
  }

  @Override
  public double[] weights(PairKernel kernel, int count) {
    double[] weights = new double[pairs()];
    double t = tailWeight(kernel);
    for (int k = 0; k < Math.min(head, count); k++) {
      for (int l = 0; l < Math.min(reach, count); l++) {
        weights[k * reach + l] = weight(kernel, t, k, l);
      }
    }
    Arrays.fill(weights, head * reach, weights.length, 2 * t);
    return weights;
  }

  private double weight(PairKernel kernel, double t, int k, int l) {
    double h = basis.eigenvalue(l);
    double factor = kernel.at(basis.eigenvalue(k), h);
    return l < head ? factor : 2 * (factor - t * h);
  }

  private double tailWeight(PairKernel kernel) {
    return tailMean > 0 ? BELOW_BOUND * kernel.at(tailMean, tailMean) / (2 * tailMean) : 0;
  }

  @Override
  public double quadratic(PairKernel kernel, int count, double[] overlaps) {
    double t = tailWeight(kernel);
    double sum = 0;
    for (int k = 0; k < Math.min(head, count); k++) {
      for (int l = 0; l < Math.min(reach, count); l++) {
        double y = overlaps[k * reach + l];
        sum += weight(kernel, t, k, l) * y * y;
      }
    }
    for (int i = head * reach; i < overlaps.length; i++) {
      sum += 2 * t * overlaps[i] * overlaps[i];
    }
    return sum;
  }

  @Override
  public double[] image(double[] d, double[] weights, double[] overlaps) {
    return basis.verified(
        () -> computeImage(weights, overlaps), image -> isImage(d, weights, overlaps, image));
  }

  private double[] computeImage(double[] weights, double[] overlaps) {
    double[] image =
        basis.sumOfStrips(
            head,
            stripWidth(),
            (products, from, to, sum) -> {
              double[] z = new double[(to - from) * reach];
              for (int i = 0; i < z.length; i++) {
                z[i] = 0.5 * weights[from * reach + i] * overlaps[from * reach + i];
              }
              products.addBlocks(reach, z, from, to, sum);
            });
    double[] tail = new double[dimension()];
    for (int i = 0; i < tail.length; i++) {
      tail[i] = 0.5 * weights[head * reach + i] * overlaps[head * reach + i];
    }
    addTimesTranspose(tail, image);
    basis.addTransposes(image);
    return image;
  }

  @Override
  public double trace(double[] d) {
    return basis.trace(d);
  }

  /** As for {@link ReducedMap}, but for pairs of the head with the reach. */
  private boolean areOverlaps(double[] d, double[] overlaps) {
    double found = 0;
    for (int k = 0; k < head; k++) {
      double sum = 0;
      for (int l = 0; l < reach; l++) {
        sum += signs[l] * overlaps[k * reach + l];
      }
      found += signs[k] * sum;
    }
    double expected = basis.bilinear(d, combinedHead, combined);
    double error = Math.abs(found - expected);
    return error <= ReducedMap.LARGEST_ERROR * basis.roundoff() * Math.sqrt(Vectors.dot(d, d));
  }

  private boolean isImage(double[] d, double[] weights, double[] overlaps, double[] image) {
    double quotient = 0;
    double magnitude = 0;
    for (int p = 0; p < weights.length; p++) {
      double term = weights[p] * overlaps[p] * overlaps[p];
      quotient += term;
      magnitude += Math.abs(term);
    }
    double error = Math.abs(Vectors.dot(d, image) - quotient);
    return error <= ReducedMap.LARGEST_ERROR * basis.roundoff() * magnitude;
  }

  /** target ← target + A·L, block by block. */
  private void addTimesFactor(double[] a, double[] target, int offset) {
    int k = basis.outputs();
    for (int row = 0; row < basis.size(); row++) {
      int first = row / k * k;
      for (int c = 0; c < k; c++) {
        double factor = a[row * k + c];
        for (int b = 0; b <= c; b++) {
          target[offset + row * k + b] += factor * tailFactor[(first + c) * k + b];
        }
      }
    }
  }

  /** target ← target + A·Lᵀ, block by block. */
  private void addTimesTranspose(double[] a, double[] target) {
    int k = basis.outputs();
    for (int row = 0; row < basis.size(); row++) {
      int first = row / k * k;
      for (int b = 0; b < k; b++) {
        double sum = 0;
        for (int c = 0; c <= b; c++) {
          sum += a[row * k + c] * tailFactor[(first + b) * k + c];
        }
        target[row * k + b] += sum;
      }
    }
  }
}
