//! Tokens and answers that are almost right, made with real keys.

mod bearer;
mod logout;
mod provider;
mod sign_in;
mod tokens;
mod world;
