// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.dl4j;

import java.util.Locale;
import java.util.Optional;
import org.lyapunov4j.dl4j.step.TrainingStep;
import org.lyapunov4j.gram.GramMatrix;
import org.lyapunov4j.gram.LargestEigenpair;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * What l2 inside the gradient of an adaptive updater does to the edge. With the preconditioner P
 * held fixed and φ = P^(−1/2) θ the curvature of the step is AAᵀ + D, A = P^(1/2) JᵀR/√N and D =
 * cP. Its largest eigenvalue ν is between κ + qᵀDq and κ + max D, q the top eigenvector of AAᵀ, and
 * qᵀDq = uᵀG₂u / uᵀGu with the top eigenvector u of G and the Gram matrix G₂ of the weights PD.
 *
 * <p>Parameters with D &gt; κ have next to no gradient: their P grows until l2 alone moves them,
 * and they rattle about 0. They are left out and counted.
 *
 * @param effective qᵀDq
 * @param fastest the largest D of the others
 * @param alone how many are left out
 * @param decaying how many decay
 * @param sharpness κ, the curvature without l2
 */
record PreconditionedDecay(
    double effective, double fastest, long alone, long decaying, double sharpness) {

  static PreconditionedDecay of(GramMatrix gram, Kernel kernel, Snapshot snapshot) {
    LargestEigenpair top = LargestEigenpair.of(gram);
    double sharpness = top.value() / gram.examples();
    INDArray decays = snapshot.decays();
    INDArray live = decays.lte(sharpness).castTo(decays.dataType());
    long alone = decays.length() - live.sumNumber().longValue();
    long decaying = decays.gt(0).castTo(decays.dataType()).sumNumber().longValue();
    INDArray counted = decays.mul(live);
    double fastest = counted.maxNumber().doubleValue();
    INDArray parameterWeights = counted.mul(snapshot.parameterWeights());
    double effective =
        top.value() > 0
            ? kernel
                .compute(
                    snapshot.parameters(),
                    parameterWeights,
                    null, // none beside a preconditioner
                    snapshot.step().sgd().batchSize(),
                    Optional.empty())
                .matrix()
                .map(second -> energy(second.gram(), top.vector()) / top.value())
                .orElse(0.0)
            : 0;
    return new PreconditionedDecay(
        effective, Math.max(fastest, effective), alone, decaying, sharpness);
  }

  private static double energy(GramMatrix gram, double[] vector) {
    double[] image = new double[vector.length];
    gram.multiply(vector, image);
    double sum = 0;
    for (int i = 0; i < vector.length; i++) {
      sum += vector[i] * image[i];
    }
    return Math.max(0, sum);
  }

  TrainingStep in(TrainingStep step) {
    double rate = step.sgd().learningRate();
    return step.withSgd(step.sgd().withUnevenL2(effective, fastest))
        .withRemark(
            String.format(
                Locale.ROOT,
                "l2 inside the gradient of %s decays every parameter at a rate of its own, up to"
                    + " %.2g per step; along the critical direction it shifts the edge ratio by %.2g"
                    + " of itself%s",
                step.updater(),
                rate * fastest,
                sharpness > 0 ? effective / sharpness : 0,
                alone == 0
                    ? ""
                    : String.format(
                        Locale.ROOT,
                        "; %d of %d parameters are moved by l2 alone and left out",
                        alone,
                        decaying)));
  }
}
