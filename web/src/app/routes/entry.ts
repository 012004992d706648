import { createRoute, redirect, stripSearchParams } from '@tanstack/react-router';

import { isReturning, meQuery } from '@/api/session';
import { entryView } from '@/features/entry/view';

import { lazy, rootRoute } from './root';

const getParentRoute = () => rootRoute;
const { validate, defaults } = entryView;

export const landingRoute = createRoute({
  getParentRoute,
  path: '/',
  beforeLoad: async ({ context }) => {
    if (!isReturning()) return;
    const me = await context.queries.query({ ...meQuery, staleTime: 'static' }).catch(() => null);
    if (me !== null) throw redirect({ href: '/dashboard', replace: true });
  },
  component: lazy(() => import('@/features/landing/page'), 'LandingPage'),
});

export const loginRoute = createRoute({
  getParentRoute,
  path: '/login',
  validateSearch: validate,
  search: { middlewares: [stripSearchParams(defaults)] },
  component: lazy(() => import('@/features/entry/login'), 'LoginPage'),
});

export const registerRoute = createRoute({
  getParentRoute,
  path: '/register',
  validateSearch: validate,
  search: { middlewares: [stripSearchParams(defaults)] },
  component: lazy(() => import('@/features/entry/register'), 'RegisterPage'),
});

export const forgotPasswordRoute = createRoute({
  getParentRoute,
  path: '/forgot-password',
  component: lazy(() => import('@/features/entry/password'), 'ForgotPasswordPage'),
});

export const resetPasswordRoute = createRoute({
  getParentRoute,
  path: '/reset-password',
  component: lazy(() => import('@/features/entry/password'), 'ResetPasswordPage'),
});

export const verifyEmailRoute = createRoute({
  getParentRoute,
  path: '/verify-email',
  component: lazy(() => import('@/features/entry/verify'), 'VerifyEmailPage'),
});

export const acceptInvitationRoute = createRoute({
  getParentRoute,
  path: '/accept-invitation',
  component: lazy(() => import('@/features/entry/invitation'), 'AcceptInvitationPage'),
});

export const entryRoutes = [
  landingRoute,
  loginRoute,
  registerRoute,
  forgotPasswordRoute,
  resetPasswordRoute,
  verifyEmailRoute,
  acceptInvitationRoute,
] as const;
