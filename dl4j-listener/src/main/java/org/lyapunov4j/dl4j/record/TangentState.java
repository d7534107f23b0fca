// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.dl4j.record;

import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.SortedMap;
import org.lyapunov4j.exponent.TrajectoryExponent;
import org.lyapunov4j.step.SgdStep;

/**
 * A trajectory at a checkpoint, with all that its next window begins at. The arrays are not to be
 * modified.
 *
 * @param iteration of the checkpoint
 * @param trajectory what is carried; empty before the first window
 * @param curvature what steps take for the second derivative of the loss
 * @param step in force at the checkpoint
 * @param parameters at the checkpoint
 * @param weights of the parameters at the checkpoint; null for ones
 * @param taken the examples of the mini-batches that training took since, by iteration
 * @param progress of the window under way, where the vector steps with training; else null
 */
@SuppressWarnings("ArrayRecordComponent") // as large as the model, and compared by content
public record TangentState(
    int iteration,
    Optional<TrajectoryExponent.State> trajectory,
    TrajectoryExponent.Curvature curvature,
    SgdStep step,
    double[] parameters,
    double[] weights,
    SortedMap<Integer, int[]> taken,
    Progress progress) {

  /**
   * This state with other mini-batches.
   *
   * @param taken the examples of the mini-batches that training took since, by iteration
   * @return the changed state
   */
  public TangentState withTaken(SortedMap<Integer, int[]> taken) {
    return new TangentState(
        iteration, trajectory, curvature, step, parameters, weights, taken, progress);
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof TangentState that
        && iteration == that.iteration
        && trajectory.equals(that.trajectory)
        && curvature == that.curvature
        && step.equals(that.step)
        && Objects.equals(progress, that.progress)
        && Arrays.equals(parameters, that.parameters)
        && Arrays.equals(weights, that.weights)
        && taken.keySet().equals(that.taken.keySet())
        && taken.entrySet().stream()
            .allMatch(entry -> Arrays.equals(entry.getValue(), that.taken.get(entry.getKey())));
  }

  @Override
  public int hashCode() {
    return Objects.hash(iteration, trajectory, Arrays.hashCode(parameters));
  }

  @Override
  public String toString() {
    return "iteration " + iteration + ", " + trajectory + ", " + curvature + ", " + step;
  }

  /**
   * How far a vector that steps with training has come in the window under way.
   *
   * @param steps taken before it
   * @param drawn how many of its steps took the mini-batch that training took
   * @param logNorm log growth before it, nats
   * @param annihilated whether a step in it annihilated a vector
   * @param products with the Hessian so far
   * @param largest curvature met in them
   * @param error the largest measured, relative to the product
   */
  public record Progress(
      long steps,
      long drawn,
      double logNorm,
      boolean annihilated,
      long products,
      double largest,
      double error) {
    /** {@inheritDoc} */
    public Progress {
      boolean counts = steps >= 0 && drawn >= 0 && products >= 0;
      boolean measures = largest >= 0 && error >= 0 && Double.isFinite(largest + error);
      if (!counts || !measures || !Double.isFinite(logNorm)) {
        throw new IllegalArgumentException(
            "progress must be of counts and finite numbers, got "
                + List.of(steps, drawn, logNorm, products, largest, error));
      }
    }
  }
}
