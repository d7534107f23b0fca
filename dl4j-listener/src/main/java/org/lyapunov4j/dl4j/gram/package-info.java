// SPDX-License-Identifier: Apache-2.0
/** The Gram matrix of the neural tangent kernel of Deeplearning4j models. */
package org.lyapunov4j.dl4j.gram;
