@echo off
rem Runs Tidestream on Windows: finds a Java 25 (JAVA_HOME, then java on PATH, then the runtime beside this folder) and starts the JVM.
rem   TIDESTREAM_JAVA_OPTS   more options for the JVM
setlocal
set "HOME_DIR=%~dp0.."
set "JAVA="
if defined JAVA_HOME call :try "%JAVA_HOME%"
if not defined JAVA for /f "delims=" %%J in ('where $PATH:java 2^>nul') do if not defined JAVA for %%D in ("%%~dpJ..") do call :try "%%~fD"
if not defined JAVA call :try "%HOME_DIR%\runtime"
if not defined JAVA (
    echo tidestream: needs Java 25, found none: set JAVA_HOME to one 1>&2
    exit /b 1
)
rem Kernels are in the Vector API here: machine code is generated on Linux only.
set "OPTIONS=--add-modules=jdk.incubator.vector --enable-native-access=ALL-UNNAMED --sun-misc-unsafe-memory-access=allow -XX:+UseSerialGC -XX:MetaspaceSize=128m"
if /i "%~1"=="loadtest" goto loadtest
"%JAVA%" %OPTIONS% %TIDESTREAM_JAVA_OPTS% -cp "%HOME_DIR%\lib\tidestream-server.jar;%HOME_DIR%\lib\*" dev.tidestream.server.cli.Main %*
exit /b

:loadtest
set ARGUMENTS=%*
call set ARGUMENTS=%%ARGUMENTS:*loadtest=%%
"%JAVA%" %OPTIONS% %TIDESTREAM_JAVA_OPTS% "-Dtidestream.home=%HOME_DIR%" "-Dtidestream.launcher=%~f0" -cp "%HOME_DIR%\lib\loadtest\*" dev.tidestream.loadtest.Main %ARGUMENTS%
exit /b

:try
if not exist "%~1\bin\java.exe" exit /b
findstr /r /c:"^JAVA_VERSION=.25[^0-9]" "%~1\release" >nul 2>nul && set "JAVA=%~1\bin\java.exe"
exit /b
