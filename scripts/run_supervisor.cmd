@echo off
rem Builds and runs tidegate-supervisor in the foreground; arguments go to it.
setlocal
cd /d "%~dp0.."
where cargo >nul 2>nul || (echo missing: cargo. Get Rust 1.95 or later from https://rustup.rs 1>&2 & exit /b 1)
cargo build --release --locked --quiet --package tidegate-supervisor || exit /b 1
target\release\tidegate-supervisor.exe %*
exit /b %ERRORLEVEL%
