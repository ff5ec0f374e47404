package main

import "github.com/spf13/cobra"

func newServe() *cobra.Command        { return &cobra.Command{Use: "serve"} }
func newConfig() *cobra.Command       { return &cobra.Command{Use: "config"} }
func newVersion() *cobra.Command      { return &cobra.Command{Use: "version"} }
func newApply() *cobra.Command        { return &cobra.Command{Use: "apply"} }
func newClient() *cobra.Command       { return &cobra.Command{Use: "client"} }
func newKeys() *cobra.Command         { return &cobra.Command{Use: "keys"} }
func newSubject() *cobra.Command      { return &cobra.Command{Use: "subject"} }
func newConsent() *cobra.Command      { return &cobra.Command{Use: "consent"} }
func newAdmin() *cobra.Command        { return &cobra.Command{Use: "admin"} }
func newAudit() *cobra.Command        { return &cobra.Command{Use: "audit"} }
func newReplay() *cobra.Command       { return &cobra.Command{Use: "replay"} }
func newProjection() *cobra.Command   { return &cobra.Command{Use: "projection"} }
func newRegistration() *cobra.Command { return &cobra.Command{Use: "registration"} }
func newBackup() *cobra.Command       { return &cobra.Command{Use: "backup"} }
func newRestore() *cobra.Command      { return &cobra.Command{Use: "restore"} }
func newDoctor() *cobra.Command       { return &cobra.Command{Use: "doctor"} }
