// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.exponent;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.lyapunov4j.gram.GramMatrix;
import org.lyapunov4j.gram.GroupedGram;
import org.lyapunov4j.gram.Vectors;
import org.lyapunov4j.step.GroupedStep;

/**
 * One trajectory of a {@link GroupedStep} in residual form. Groups that decay alike share one
 * residual r_c, since only its sum acts and what cancels in it stands still; every group with a
 * memory has a velocity u_h of its own:
 *
 * <pre>
 *   u_h ← β_h u_h + γ_h (G_h[:,S] s_S/|S| + l2_h r_h),   r_c ← k_c r_c + Σ_h (o_h u_h^old + n_h u_h^new),   s = Σ_c r_c
 * </pre>
 *
 * <p>with the numbers of {@link StepRecursion}, or r_c ← k_c r_c − (η/|S|) G_h[:,S] s_S without
 * memory. Where every residual belongs to one group, coefficients r_h = G_h w_h are carried along
 * and the energy Σ w_hᵀG_h w_h, the square of a parameter norm, comes for nothing; else the energy
 * is the square of the state's norm. Rounding that leaves the ranges of the matrices is projected
 * out as in {@link ResidualCocycle}.
 */
final class GroupedCocycle implements Cocycle {
  private static final double PROJECT_EVERY = 14;

  private final GroupedGram gram;
  private final GroupedStep step;
  private final int[] classOf;
  private final boolean separate;
  private final double[][] r;
  private final double[][] w;
  private final double[][] u;
  private final double[][] p;
  private final double[] s;
  private final RangeProjection[] projections;
  private final int[] rows;
  private final double[] coefficients;
  private final double[] scaled;
  private final int[] members;
  private final StepRecursion[] updates;
  private double contraction;

  GroupedCocycle(GroupedGram gram, GroupedStep step) {
    this.gram = gram;
    this.step = step;
    int groups = step.groups().size();
    int m = gram.whole().size();
    classOf = classes(step);
    int classes = Arrays.stream(classOf).max().orElse(0) + 1;
    separate = classes == groups;
    updates = new StepRecursion[groups];
    use(step.common().learningRate());
    r = new double[classes][m];
    w = new double[separate ? groups : 0][m];
    u = new double[groups][];
    p = new double[groups][];
    for (int h = 0; h < groups; h++) {
      int length = updates[h].hasMemory() ? m : 0;
      u[h] = new double[length];
      p[h] = new double[separate ? length : 0];
    }
    s = new double[m];
    projections = projections(gram, classOf, classes);
    rows = new int[step.common().batchSize() * gram.whole().outputs()];
    coefficients = new double[rows.length];
    scaled = new double[rows.length];
    members = new int[classes];
    for (int c : classOf) {
      members[c]++;
    }
  }

  /** The number of the residual that each group's positions are added to. */
  static int[] classes(GroupedStep step) {
    int[] classOf = new int[step.groups().size()];
    List<Integer> first = new ArrayList<>();
    for (int h = 0; h < classOf.length; h++) {
      int found = 0;
      while (found < first.size()
          && !step.groups().get(h).decaysLike(step.groups().get(first.get(found)))) {
        found++;
      }
      if (found == first.size()) {
        first.add(h);
      }
      classOf[h] = found;
    }
    return classOf;
  }

  private static RangeProjection[] projections(GroupedGram gram, int[] classOf, int classes) {
    RangeProjection[] projections = new RangeProjection[classes];
    for (int c = 0; c < classes; c++) {
      double[] members = new double[classOf.length];
      for (int h = 0; h < members.length; h++) {
        members[h] = classOf[h] == c ? 1 : 0;
      }
      GramMatrix range = classes == 1 ? gram.whole() : gram.sum(members);
      projections[c] = new RangeProjection(range);
    }
    return projections;
  }

  /** Changes the learning rate. */
  void use(double learningRate) {
    GroupedStep other = step.withLearningRate(learningRate);
    for (int h = 0; h < updates.length; h++) {
      updates[h] = StepRecursion.of(other.of(h));
    }
  }

  @Override
  public boolean start(double[] start) {
    clear();
    double[] image = new double[s.length];
    for (int h = 0; h < updates.length; h++) {
      gram.parts().get(h).multiply(start, image);
      Vectors.add(1, image, r[classOf[h]]);
      if (separate) {
        System.arraycopy(start, 0, w[h], 0, start.length);
      }
    }
    return begin();
  }

  /** Starts at an eigenvector of the full-batch step, normalised. */
  boolean start(GroupedMode mode) {
    clear();
    double[] image = new double[s.length];
    int examples = gram.whole().examples();
    for (int h = 0; h < updates.length; h++) {
      gram.parts().get(h).multiply(mode.x(), image);
      double position = mode.position(updates[h], examples);
      Vectors.add(position, image, r[classOf[h]]);
      if (separate) {
        Vectors.add(position, mode.x(), w[h]);
      }
      if (updates[h].hasMemory()) {
        double velocity = mode.velocity(updates[h], examples);
        Vectors.add(velocity, image, u[h]);
        if (separate) {
          Vectors.add(velocity, mode.x(), p[h]);
        }
      }
    }
    return begin();
  }

  private void clear() {
    for (double[][] part : List.of(r, w, u, p)) {
      for (double[] vector : part) {
        Arrays.fill(vector, 0);
      }
    }
  }

  private boolean begin() {
    contraction = 0;
    double norm = norm();
    if (!(norm > 0 && norm < Double.POSITIVE_INFINITY)) {
      return false;
    }
    scaleBy(1 / norm);
    sum();
    return true;
  }

  @Override
  public boolean hasMemory() {
    return true; // decays change the energy of every row
  }

  @Override
  public double factor(int size) {
    throw new IllegalStateException("steps of groups come alone");
  }

  @Override
  public void follow(StepBlock block, double[] coefficients) {
    throw new IllegalStateException("steps of groups come alone");
  }

  @Override
  public void apply(int[] batch, int size) {
    int count = fill(batch, size);
    for (int h = 0; h < updates.length; h++) {
      if (members[classOf[h]] == 1) {
        remember(h);
      } else {
        rememberInClass(h);
      }
    }
    for (int h = 0; h < updates.length; h++) {
      push(h, count, size);
    }
    sum();
  }

  private void remember(int h) {
    StepRecursion update = updates[h];
    if (update.hasMemory()) {
      update.remember(r[classOf[h]], u[h]);
    } else if (update.keep() != 1) {
      Vectors.scale(r[classOf[h]], update.keep());
    }
    if (separate && update.hasMemory()) {
      update.remember(w[h], p[h]);
    } else if (separate && update.keep() != 1) {
      Vectors.scale(w[h], update.keep());
    }
  }

  /** Members of a class have no decay inside their memory; the first of them shrinks the sum. */
  private void rememberInClass(int h) {
    double[] position = r[classOf[h]];
    if (updates[h].keep() != 1 && isFirst(h)) {
      Vectors.scale(position, updates[h].keep());
    }
    if (updates[h].hasMemory()) {
      Vectors.add(updates[h].oldWeight(), u[h], position);
      Vectors.scale(u[h], updates[h].memory());
    }
  }

  private boolean isFirst(int h) {
    for (int other = 0; other < h; other++) {
      if (classOf[other] == classOf[h]) {
        return false;
      }
    }
    return true;
  }

  private void push(int h, int count, int size) {
    StepRecursion update = updates[h];
    double factor = (update.hasMemory() ? update.gradientWeight() : -update.rate()) / size;
    for (int j = 0; j < count; j++) {
      scaled[j] = factor * coefficients[j];
    }
    GramMatrix part = gram.parts().get(h);
    part.addColumns(rows, scaled, count, update.hasMemory() ? u[h] : r[classOf[h]]);
    if (separate) {
      double[] target = update.hasMemory() ? p[h] : w[h];
      for (int j = 0; j < count; j++) {
        target[rows[j]] += scaled[j];
      }
    }
    if (update.hasMemory()) {
      update.move(r[classOf[h]], u[h]);
      if (separate) {
        update.move(w[h], p[h]);
      }
    }
  }

  private int fill(int[] batch, int size) {
    int outputs = gram.whole().outputs();
    int count = 0;
    for (int b = 0; b < size; b++) {
      int first = batch[b] * outputs;
      for (int k = 0; k < outputs; k++) {
        rows[count] = first + k;
        coefficients[count++] = s[first + k];
      }
    }
    return count;
  }

  private void sum() {
    System.arraycopy(r[0], 0, s, 0, s.length);
    for (int c = 1; c < r.length; c++) {
      Vectors.add(1, r[c], s);
    }
  }

  @Override
  public double normalise() {
    double norm = norm();
    double growth = Math.log(norm);
    if (norm > 0 && norm < Double.POSITIVE_INFINITY) {
      scaleBy(1 / norm);
      contraction = Math.max(0, contraction - growth);
      if (contraction > PROJECT_EVERY) {
        contraction = 0;
        project();
      }
      sum();
    }
    return growth;
  }

  /** Takes what rounding put outside of the ranges of the matrices out of the residuals. */
  private void project() {
    for (int c = 0; c < r.length; c++) {
      projections[c].apply(r[c], separate ? w[c] : new double[s.length]);
    }
  }

  @Override
  public double energy() {
    if (!separate) {
      double norm = norm();
      return norm * norm;
    }
    double energy = 0;
    for (int h = 0; h < w.length; h++) {
      energy += Vectors.dot(w[h], r[h]) + Vectors.dot(p[h], u[h]);
    }
    return energy;
  }

  /** Whether the energy is that of coefficients, and curvatures can be told from it. */
  boolean hasCoefficients() {
    return separate;
  }

  /** The functional of a mode, whose product with each batch is known before it is drawn. */
  double functional(GroupedMode mode) {
    double[] x = mode.x();
    double sum = 0;
    double[] weights = new double[r.length];
    for (int h = 0; h < updates.length; h++) {
      weights[classOf[h]] = mode.weightOfPosition(updates[h]);
    }
    for (int c = 0; c < r.length; c++) {
      sum += weights[c] * Vectors.dot(x, r[c]);
    }
    for (int h = 0; h < updates.length; h++) {
      if (updates[h].hasMemory()) {
        double weight = mode.weightOfVelocity(updates[h], weights[classOf[h]]);
        sum += weight * Vectors.dot(x, u[h]);
      }
    }
    return sum;
  }

  @Override
  public double[] residual() {
    return s;
  }

  @Override
  public double[] coefficients() {
    return separate ? w[0].clone() : s.clone();
  }

  private double norm() {
    double squares = 0;
    for (double[] vector : r) {
      squares += Vectors.dot(vector, vector);
    }
    for (int h = 0; h < u.length; h++) {
      squares += updates[h].scaleOfVelocity() * Vectors.dot(u[h], u[h]);
    }
    return Math.sqrt(squares);
  }

  private void scaleBy(double factor) {
    for (double[][] part : List.of(r, w, u, p)) {
      for (double[] vector : part) {
        Vectors.scale(vector, factor);
      }
    }
  }
}
